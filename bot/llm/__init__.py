"""Language models as one. Knows no vendor.

routing    which model answers, and what happens when it fails
spending   what may be spent, and what was
in_turn    `turn.llm`, as handlers use it; acting and toolbox: answers with tools
structured, tokens, cache, shelf   JSON into models, counting, answers that may be given again
house, offline                     what is answered without any model
models, opening                    what a turn has of all this, and how it is put together
"""
