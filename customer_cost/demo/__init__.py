from . import customer_cost_demo
from . import customer_cost_alert_demo
