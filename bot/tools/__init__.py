"""Tools: one registry for skills, language models and other programs. Knows no engine: those stand behind ports.

tool, catalogue, published         what a tool is: those of the house, and those that skills publish
registry                           calls them by name
asking, models                     has a language model do a tool's work
usage, redaction, report           the usage log
http, inputs, answers, openapi     the endpoints; tokens: who may call
jobs, records, webhooks            calls that are answered later
room, settings, tables             how it is put together
"""
