from . import customer_cost_analysis
from . import customer_cost_profitability
from . import customer_cost_figures
from . import customer_cost_tie_out
from . import customer_cost_tie_out_source
from . import customer_cost_tie_out_sections
from . import customer_cost_tie_out_records
from . import customer_cost_tie_out_screen
