from . import test_hoot
from . import test_tour_main_job
from . import test_driver_definition
from . import test_driver_preview
from . import test_entry_workflow
from . import test_driver_quantities
