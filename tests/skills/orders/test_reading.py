"""What the order skill understands of what people type: pure functions, no bot."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from adapters.orders.seed import seeded_stock
from bot.ports import Claim, Item, Order, Shipment, ShopAddress, State, Terms, Variant
from skills.orders.addresses import address_in
from skills.orders.before_sending import reason_said
from skills.orders.choosing import nearest
from skills.orders.identity import Heard, claim_in, code_in, entered_in
from skills.orders.numbering import numbers
from skills.orders.pieces import named_places, named_variants, places_like
from skills.orders.trouble import kind_of
from skills.orders.words import day, safe, standing

STOCK = seeded_stock(date(2025, 3, 12))
SAM = STOCK.customers[0]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("where is #W1000159", ["W1000159"]),
        ("where are 1000145 and W1000159?", ["1000145", "W1000159"]),
        ("my order is w one zero zero zero one five nine", ["W1000159"]),
        ("call me on 2125550100", []),
        ("call me on +1 212 555 0100 about 1000159", ["1000159"]),
        ("where is my order", []),
    ],
)
def test_order_numbers_are_found_and_phone_numbers_are_not(text: str, found: list[str]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "claim"),
    [
        ("it's Sam.Rivers@example.com thanks", Claim(email="Sam.Rivers@example.com")),
        ("+1 212 555 0100", Claim(phone="+12125550100")),
        ("(212) 555-0100", Claim(phone="2125550100")),
        ("Sam Rivers, 10004", Claim(name="Sam Rivers", postcode="10004")),
        ("my name is Sam O'Neill zip code 10004", Claim(name="Sam O'Neill", postcode="10004")),
        ("i'm sam rivers sw1a 1aa", Claim(name="sam rivers", postcode="sw1a 1aa")),
        ("sam", None),
        ("where is my order 1000159", None),
        ("", None),
    ],
)
def test_people_say_who_they_are_in_several_ways(text: str, claim: Claim | None) -> None:
    assert claim_in(text) == claim


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("123456", "123456"),
        ("it says 123 456", "123456"),
        ("123-456", "123456"),
        ("one two three four five six", "123456"),
        ("what code?", None),
        ("12", None),
    ],
)
def test_a_code_may_come_with_words_and_spaces(text: str, code: str | None) -> None:
    assert code_in(text) == code


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("5 Elm Street, Boston, MA 02110", ("5 Elm Street", "", "Boston", "MA", "02110", "")),
        ("5 Elm Street, Apt 2, Boston, MA 02110, USA", ("5 Elm Street", "Apt 2", "Boston", "MA", "02110", "USA")),
        ("5 Elm Street\nBoston MA 02110", ("5 Elm Street", "", "Boston", "MA", "02110", "")),
        ("5 Elm St, New York, ny, 10004", ("5 Elm St", "", "New York", "NY", "10004", "")),
        ("Lindenweg 5, 10115 Berlin, Germany", ("Lindenweg 5", "", "Berlin", "", "10115", "Germany")),
        (
            "10 High Street, London SW1A 1AA, United Kingdom",
            ("10 High Street", "", "London", "", "SW1A 1AA", "United Kingdom"),
        ),
    ],
)
def test_addresses_are_read_as_people_write_them(text: str, parts: tuple[str, ...]) -> None:
    address = address_in(text)
    line1, line2, city, state, postcode, country = parts
    assert address == ShopAddress(line1=line1, line2=line2, city=city, state=state, postcode=postcode, country=country)


@pytest.mark.parametrize("text", ["", "5 Elm Street", "5 Elm Street, Boston", "Boston, MA 02110", "no idea, sorry"])
def test_an_address_that_lacks_something_is_asked_for_again(text: str) -> None:
    with pytest.raises(ValueError, match="street, city, state and postcode"):
        address_in(text)


def test_a_mistyped_number_is_near_the_own_orders_only() -> None:
    own = [order for order in STOCK.orders if order.customer == SAM.id]
    assert {order.number for order in nearest("W1000195", own)} == {"#W1000145", "#W1000159"}
    assert nearest("7654321", own) == []


def _item(id: str, name: str, product: str, **options: str) -> Item:
    return Item(id=id, product=product, name=name, options=options, price=Decimal("10.00"))


ITEMS = (
    _item("1", "Tea Kettle", "p1", material="steel", capacity="1 l"),
    _item("2", "Running Shoes", "p2", size="9", color="black"),
    _item("3", "Desk Lamp", "p3", color="white"),
    _item("4", "Desk Lamp", "p3", color="black"),
)


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("the kettle", [0]),
        ("1 and 3", [0, 2]),
        ("both lamps... all of it", [0, 1, 2, 3]),
        ("shoes and the kettle please", [0, 1]),
        ("the white lamp", [2]),
        ("the lamps", [2, 3]),
    ],
)
def test_items_are_named_by_place_or_by_what_they_are(text: str, places: list[int]) -> None:
    assert places_like(ITEMS)(text) == places


@pytest.mark.parametrize("text", ["9", "the sofa", "0"])
def test_an_item_that_is_not_there_is_asked_for_again(text: str) -> None:
    with pytest.raises(ValueError, match="pick one"):
        places_like(ITEMS)(text)


def test_a_message_about_no_item_names_none() -> None:
    assert named_places("I want to return something", ITEMS) == []


def _kettle(id: str, material: str, capacity: str) -> Variant:
    return Variant(
        id=id,
        product="p1",
        name="Tea Kettle",
        options={"material": material, "capacity": capacity},
        price=Decimal("12.00"),
    )


KETTLES = (
    _kettle("a", "glass", "1 l"),
    _kettle("b", "glass", "1.7 l"),
    _kettle("c", "steel", "1.7 l"),
    _kettle("d", "enamel", "1.7 l"),
    _kettle("e", "enamel", "2 l"),
)


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("glass", ["a"]),
        ("the glass one, not steel", ["a"]),
        ("1.7 l", ["c"]),
        ("glass and 1.7 l", ["b"]),
        ("bigger", []),
        ("", []),
        ("enamel", ["d", "e"]),
    ],
)
def test_what_is_not_said_about_another_option_stays_as_it_is(text: str, ids: list[str]) -> None:
    found = named_variants(text, ITEMS[0], KETTLES)
    assert [each.id for each in found] == ids


def test_reasons_are_heard_in_the_message() -> None:
    assert reason_said("ordered by mistake", "cancel it, it was a mistake")
    assert reason_said("no longer needed", "I don't need it any more")
    assert not reason_said("no longer needed", "cancel, I need it sooner")
    assert not reason_said("ordered by mistake", "cancel my order")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("it arrived broken", "arrived broken"),
        ("you sent the wrong item and it's cracked", "arrived broken"),
        ("this is not what I ordered", "wrong item"),
        ("it says delivered but I never got it", "parcel missing"),
        ("my parcel is late", "parcel late"),
    ],
)
def test_troubles_have_the_names_of_the_policy(text: str, kind: str) -> None:
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("offset", "said"),
    [(0, "today"), (1, "tomorrow, Thursday 13 March"), (-1, "yesterday, Tuesday 11 March"), (5, "on Monday 17 March")],
)
def test_days_are_said_as_people_say_them(offset: int, said: str) -> None:
    now = date(2025, 3, 12)
    assert day(date.fromordinal(now.toordinal() + offset), now) == said


def test_a_late_parcel_is_admitted() -> None:
    order = next(order for order in STOCK.orders if order.number == "#W1000145")
    parcel = Shipment(items=(), tracking=("T1",), carrier="UPS", expected_on=date(2025, 3, 10))
    late = Order(
        number=order.number,
        customer=SAM.id,
        state=State.PROCESSED,
        items=order.items,
        address=order.address,
        shipments=(parcel,),
    )
    text = standing(late, SAM, Terms(), date(2025, 3, 12))
    assert "It was due on Monday 10 March, so it is late" in text and "Tracking number: T1" in text


def test_every_order_of_the_shop_can_be_told() -> None:
    customers = {customer.id: customer for customer in STOCK.customers}
    terms = Terms(refund_when={"gift_card": "at once"})
    for order in STOCK.orders:
        text = standing(order, customers[order.customer], terms, date(2025, 3, 12))
        assert safe(order.number) in text and text.endswith(".") and "None" not in text


def test_words_of_others_are_made_harmless() -> None:
    assert safe("{name} *x*") == r"(name) \*x\*"


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("it's 123 456", Heard(code="123456")),
        ("1234567", Heard(number="1234567")),
        ("order #W1000159", Heard(number="W1000159")),
        ("2125550100", Heard(claim=Claim(phone="2125550100"))),
        ("no, ann@example.com", Heard(claim=Claim(email="ann@example.com"))),
        ("which code?", None),
    ],
)
def test_what_is_typed_at_the_code_question(text: str, heard: Heard | None) -> None:
    assert entered_in(text) == heard
