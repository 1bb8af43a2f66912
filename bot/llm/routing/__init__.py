"""Which model answers, and what happens when it fails: `router.py` is the way in, `course.py` a question's own way."""
