from . import customer_cost_analysis
from . import customer_cost_profitability
from . import customer_cost_figures
