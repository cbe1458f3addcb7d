"""Reimbursement Outcomes: why insurers pay or refuse medical massage.

The flow is raw -> claims -> outcomes -> features -> models -> findings -> reports. Stages are
functions from tables to tables; `schemas` declares every table, `pipeline` knows the order.
"""
