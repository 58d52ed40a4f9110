from . import base_partner_merge
from . import customer_cost_period_reopen
from . import customer_cost_refuse
from . import customer_cost_settings
from . import customer_cost_driver_preview
from . import customer_cost_map_preview
from . import customer_cost_map_apply
