"""Language models as one: which of them answers, what happens when it fails, what it costs. Knows no vendor.

`router.py` is the way in. `catalogue.py` has what `config/providers.yaml` says, `choosing.py` who may answer and in
which order, `course.py` the way of one question through attempts, `supply.py` how each model and provider fares.
"""
