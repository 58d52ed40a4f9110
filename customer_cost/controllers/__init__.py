from . import customer_cost_tie_out
