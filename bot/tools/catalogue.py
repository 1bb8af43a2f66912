"""The tools of the house."""

from __future__ import annotations

from bot.ports.grammar import Draft, Grammar, GrammarChecker
from bot.ports.images import ImageMatcher, Likeness, TwoPictures
from bot.ports.knowledge import Knowledge, KnowledgeEngine, Question
from bot.ports.languages import Language, LanguageDetector, Utterance
from bot.ports.moods import Mood, MoodReader, Remark
from bot.ports.profiles import Account, Fit, Pair, Profile, ProfileMatcher, ProfileReader
from bot.ports.pronunciation import Pronunciation, PronunciationChecker, Recording
from bot.ports.summaries import LongText, Summarizer, Summary
from bot.tools import models
from bot.tools.tool import Tool, behind

HOUSE = (
    Tool(
        "KNOWLEDGE",
        "Answers a question out of the house's own pages, with the source, or says that it is not known.",
        behind(KnowledgeEngine),
        Question,
        Knowledge,
        model=models.KNOWLEDGE,
    ),
    Tool(
        "PROFILE_EXTRACTION",
        "Reads what somebody says about themselves: name, e-mail, phone, languages, place, company, role, goals.",
        behind(ProfileReader),
        Account,
        Profile,
        model=models.PROFILE_EXTRACTION,
    ),
    Tool(
        "PROFILE_MATCH",
        "Tells how well two profiles fit, or a profile and criteria, with reasons.",
        behind(ProfileMatcher),
        Pair,
        Fit,
        model=models.PROFILE_MATCH,
    ),
    Tool(
        "LANGUAGE_DETECTION",
        "Tells in which language a text is.",
        behind(LanguageDetector),
        Utterance,
        Language,
        model=models.LANGUAGE_DETECTION,
    ),
    Tool(
        "MOOD",
        "Tells whether a text sounds positive, neutral or negative.",
        behind(MoodReader),
        Remark,
        Mood,
        model=models.MOOD,
    ),
    Tool(
        "GRAMMAR_CHECKER",
        "Finds mistakes in an English text, and mends those that it can.",
        behind(GrammarChecker),
        Draft,
        Grammar,
        model=models.GRAMMAR_CHECKER,
    ),
    Tool(
        "PRONUNCIATION_CHECKER",
        "Judges word by word and sound by sound how well an English text was read aloud.",
        behind(PronunciationChecker),
        Recording,
        Pronunciation,
        files=(("audio", "audio_url"),),
        model=models.PRONUNCIATION_CHECKER,
    ),
    Tool(
        "IMAGE_MATCH",
        "Tells whether two pictures are the same, however they were resized or compressed.",
        behind(ImageMatcher),
        TwoPictures,
        Likeness,
        files=(("image", "image_url"), ("other", "other_url")),
        model=models.IMAGE_MATCH,
    ),
    Tool(
        "SUMMARY",
        "Makes a long text short.",
        behind(Summarizer),
        LongText,
        Summary,
        model=models.SUMMARY,
    ),
)
