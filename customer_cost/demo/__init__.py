from . import customer_cost_demo
