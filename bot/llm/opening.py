"""Makes the router of a bot from its settings and `config/providers.yaml`. Connects to nobody."""

from __future__ import annotations

import structlog

from bot.clock import Clock
from bot.errors import PortMissing
from bot.llm.cache import AnswerCache, CacheSettings, Shelf
from bot.llm.house import furnish
from bot.llm.routing.catalogue import Catalogue
from bot.llm.routing.reading import read_catalogue
from bot.llm.routing.router import Router
from bot.llm.spending.books import Books
from bot.phrases import Phrases
from bot.ports.llm import Llm
from bot.ports.models import Providers
from bot.services import Services
from bot.settings import LlmSettings, Settings

log = structlog.get_logger()


def open_router(
    settings: Settings, services: Services, clock: Clock, phrases: Phrases, *, books: Books, shelf: Shelf
) -> Router:
    """The router over what the settings' file says, behind the port Llm; without a file it has no models.

    Mistakes in the file are told together with those of all other settings.
    """
    file = settings.own(LlmSettings, "llm").providers
    problems: list[str] = []
    catalogue = read_catalogue(file, settings.environ, problems) if file is not None else Catalogue()
    settings.note(problems)
    for part in catalogue.providers.values():
        key = part.openai_setting.api_key
        if key is not None:
            settings.secrets.add(key.get_secret_value())
    cache = AnswerCache(shelf, settings.own(CacheSettings, "answers"), clock)
    router = Router(catalogue, lambda: _providers(services), clock, books=books, cache=cache, phrases=phrases)
    furnish(router.engines, services)
    services.stand_in(Llm, router)
    return router


def start(router: Router) -> None:
    """Open what there is, and say which models these are; and if there could be some but for a package, say that."""
    router.open()
    if router.there:
        log.info("models_on", models=router.models)
    elif router.models:
        log.error("models_off", models=router.models, fix="pip install '.[llm]'")


def _providers(services: Services) -> Providers | None:
    try:
        return services.get(Providers)
    except PortMissing:
        return None
