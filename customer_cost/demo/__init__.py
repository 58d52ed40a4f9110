from . import customer_cost_demo
from . import customer_cost_demo_requests
from . import customer_cost_budget_demo
from . import customer_cost_demo_review
from . import customer_cost_alert_demo
from . import customer_cost_demo_terms
