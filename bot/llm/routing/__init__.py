"""Which model answers, and what happens when it fails: `router.py` is the way in, `course.py` the way of one question."""
