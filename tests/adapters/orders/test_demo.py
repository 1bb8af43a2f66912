"""The embedded shop: what is in it, one-time codes, what it refuses, and once per key."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from adapters.orders.database import ShopFile
from adapters.orders.demo import DemoShop
from adapters.orders.policy import Policy, load_policy
from adapters.orders.rules import Rules
from adapters.orders.seed import DEMO_EMAIL, seeded_stock
from bot.clock import SystemEntropy
from bot.errors import SettingsError
from bot.ports import (
    Cancel,
    Change,
    ChangeAddress,
    ChangeItems,
    ChangeOwnAddress,
    ChangePayment,
    Claim,
    CodeSent,
    Customer,
    Done,
    ExchangeItems,
    Plan,
    Refusal,
    ReturnItems,
    ShopAddress,
    State,
    Swap,
)
from tests.adapters.orders.conftest import StillClock

SAM = "sam_rivers_1001"
CANCELLED, DELIVERED, RETURNED = "#W1000101", "#W1000118", "#W1000126"
DELIVERED_TOO, ON_ITS_WAY, PENDING = "#W1000137", "#W1000145", "#W1000159"
ELSEWHERE = ShopAddress(line1="5 Elm Street", city="Boston", state="MA", postcode="02110", country="USA")


def test_the_seeded_shop_is_big_quick_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    began = time.perf_counter()
    stock = seeded_stock(date(2025, 3, 12))
    file = ShopFile(tmp_path / "shop.db")
    file.fill(stock)
    assert time.perf_counter() - began < 2.0
    assert len(stock.customers) >= 500 and len(stock.orders) >= 2000
    states = Counter(order.state for order in stock.orders)
    assert set(states) == set(State) and min(states.values()) >= 20
    assert stock == seeded_stock(date(2025, 3, 12)) == file.everything()
    assert stock != seeded_stock(date(2025, 3, 12), seed=7)
    file.close()


def test_only_the_days_move_with_the_day_on_which_the_shop_is_made() -> None:
    early, late = seeded_stock(date(2025, 3, 12)), seeded_stock(date(2025, 4, 11))
    assert early.customers == late.customers
    for old, new in zip(early.orders, late.orders, strict=True):
        assert old.placed_on is not None and old.number == new.number and old.items == new.items
        assert old.placed_on + timedelta(days=30) == new.placed_on


def test_every_order_makes_sense() -> None:
    today = date(2025, 3, 12)
    stock = seeded_stock(today)
    customers = {customer.id: customer for customer in stock.customers}
    assert len({customer.email for customer in stock.customers}) == len(stock.customers)
    assert len({customer.phone for customer in stock.customers}) == len(stock.customers)
    for order in stock.orders:
        assert order.placed_on is not None and order.placed_on <= today
        assert all(customers[order.customer].method(paid.method) for paid in order.payments)
        assert order.payments[0].amount == order.total == order.total.quantize(Decimal("0.01"))
        for parcel in order.shipments:
            if parcel.delivered_on is not None:
                assert order.state not in (State.PENDING, State.PROCESSED) and parcel.delivered_on <= today
            elif parcel.tracking:
                assert parcel.expected_on is not None and parcel.expected_on >= today - timedelta(days=1)


async def test_a_code_sent_to_the_right_address_opens_the_account(demo: DemoShop) -> None:
    sent = await demo.send_code(Claim(email=" Sam.Rivers@Example.com"), "k1")
    assert isinstance(sent, CodeSent) and len(sent.demo_code) == 6
    [(recipient, body)] = await demo.outbox()
    assert recipient == DEMO_EMAIL and sent.demo_code in body
    who = await demo.check_code(sent.id, sent.demo_code, "k2")
    assert isinstance(who, Customer) and who.id == SAM
    assert await demo.check_code(sent.id, sent.demo_code, "k2") == who
    again = await demo.check_code(sent.id, sent.demo_code, "k3")
    assert isinstance(again, Refusal) and again.code == "code_expired"


async def test_the_same_key_sends_one_code(demo: DemoShop) -> None:
    claim = Claim(phone="(212) 555-0100")
    assert await demo.send_code(claim, "k") == await demo.send_code(claim, "k")
    [(recipient, _)] = await demo.outbox()
    assert recipient == "+12125550100"
    other = await demo.send_code(Claim(email=DEMO_EMAIL), "k")
    assert isinstance(other, Refusal) and other.code == "key_reused"


async def test_an_address_that_nobody_has_gets_the_same_answer_and_nothing_is_sent(demo: DemoShop) -> None:
    sent = await demo.send_code(Claim(email="nobody@example.com"), "k1")
    assert isinstance(sent, CodeSent) and await demo.outbox() == []
    wrong = await demo.check_code(sent.id, "000000" if sent.demo_code != "000000" else "1", "k2")
    assert isinstance(wrong, Refusal) and wrong.code == "wrong_code"


async def test_codes_expire_and_can_not_be_guessed(demo: DemoShop, clock: StillClock) -> None:
    sent = await demo.send_code(Claim(email=DEMO_EMAIL), "k")
    assert isinstance(sent, CodeSent)
    wrong = "111111" if sent.demo_code != "111111" else "222222"
    codes = [(await demo.check_code(sent.id, wrong, f"try {n}")) for n in range(5)]
    assert [no.code for no in codes if isinstance(no, Refusal)] == ["wrong_code"] * 5
    dead = await demo.check_code(sent.id, sent.demo_code, "right, too late")
    assert isinstance(dead, Refusal) and dead.code == "too_many"
    fresh = await demo.send_code(Claim(email=DEMO_EMAIL), "k2")
    assert isinstance(fresh, CodeSent)
    await clock.sleep(601)
    old = await demo.check_code(fresh.id, fresh.demo_code, "late")
    assert isinstance(old, Refusal) and old.code == "code_expired"


async def test_six_codes_an_hour_are_enough_for_accounts_and_for_nobody_alike(
    demo: DemoShop, clock: StillClock
) -> None:
    for email in (DEMO_EMAIL, "nobody@example.com"):
        answers = [await demo.send_code(Claim(email=email), f"{email} {n}") for n in range(7)]
        assert [type(each) for each in answers] == [*[CodeSent] * 6, Refusal]
    await clock.sleep(3601)
    assert isinstance(await demo.send_code(Claim(email=DEMO_EMAIL), "later"), CodeSent)


async def test_codes_are_shown_only_in_a_demo(seeded: Path, tmp_path: Path, rules: Policy, clock: StillClock) -> None:
    shop = DemoShop(shutil.copy(seeded, tmp_path / "real.db"), rules.showing_codes(False), clock, SystemEntropy())
    sent = await shop.send_code(Claim(email=DEMO_EMAIL), "hidden")
    assert isinstance(sent, CodeSent) and sent.demo_code == "" and shop.terms.sign_in_hint == ""
    await shop.stop()


async def test_a_name_needs_its_postcode(demo: DemoShop) -> None:
    found = await demo.find_customer(Claim(name="sam  RIVERS", postcode="10004"))
    assert found is not None and found.id == SAM
    assert await demo.find_customer(Claim(name="Sam Rivers", postcode="10005")) is None
    assert await demo.find_customer(Claim(name="Sam Rivers")) is None
    assert await demo.find_customer(Claim()) is None


async def _item(demo: DemoShop, number: str, place: int = 0) -> tuple[str, str, str]:
    """The item's id, another available one of the same product, and one of another product."""
    order = await demo.find(number, SAM)
    assert order is not None
    item = order.items[place]
    product = await demo.product(item.product)
    assert product is not None
    other = next(v.id for v in product.variants if v.available and v.id != item.id)
    foreign = await demo.product("7000" if item.product != "7000" else "7001")
    assert foreign is not None
    return item.id, other, next(v.id for v in foreign.variants if v.available)


async def test_what_can_be_done_with_an_order_depends_on_its_state(demo: DemoShop) -> None:
    can = {order.number: order.can for order in await demo.recent(SAM, 10)}
    assert list(can) == [PENDING, ON_ITS_WAY, DELIVERED_TOO, RETURNED, DELIVERED, CANCELLED]
    assert can[PENDING] == ("cancel", "address", "payment", "items")
    assert can[DELIVERED] == ("return", "exchange")
    assert can[ON_ITS_WAY] == can[CANCELLED] == can[RETURNED] == ()


async def test_what_the_rules_forbid_is_refused_and_changes_nothing(demo: DemoShop) -> None:
    mine, other, foreign = await _item(demo, PENDING)
    had, better, _ = await _item(demo, DELIVERED)
    before = await demo.everything()
    cases: list[tuple[Change, str]] = [
        (Cancel(order=ON_ITS_WAY, reason="no longer needed"), "wrong_state"),
        (Cancel(order=DELIVERED, reason="no longer needed"), "wrong_state"),
        (Cancel(order=CANCELLED, reason="no longer needed"), "wrong_state"),
        (Cancel(order=PENDING, reason="found it cheaper"), "wrong_reason"),
        (Cancel(order="#W0000000", reason="no longer needed"), "not_found"),
        (ChangeAddress(order=ON_ITS_WAY, address=ELSEWHERE), "wrong_state"),
        (ChangeAddress(order=PENDING, address=replace(ELSEWHERE, postcode=" ")), "bad_address"),
        (ChangeOwnAddress(address=replace(ELSEWHERE, line1="")), "bad_address"),
        (ChangePayment(order=PENDING, method="card_1001"), "same_payment"),
        (ChangePayment(order=PENDING, method="card_1002"), "unknown_payment"),
        (ChangeItems(order=PENDING, swaps=(), method="card_1001"), "no_items"),
        (ChangeItems(order=PENDING, swaps=(Swap(old=mine, new=foreign),), method="card_1001"), "other_product"),
        (ChangeItems(order=PENDING, swaps=(Swap(old=mine, new=mine),), method="card_1001"), "same_item"),
        (ChangeItems(order=PENDING, swaps=(Swap(old=mine, new="0"),), method="card_1001"), "no_such_item"),
        (ChangeItems(order=PENDING, swaps=(Swap(old=mine, new=other),) * 2, method="card_1001"), "no_such_item"),
        (ChangeItems(order=PENDING, swaps=(Swap(old=mine, new=other),), method="card_7"), "unknown_payment"),
        (ChangeItems(order=DELIVERED, swaps=(Swap(old=had, new=better),), method="card_1001"), "wrong_state"),
        (ReturnItems(order=PENDING, items=(mine,), method="card_1001"), "wrong_state"),
        (ReturnItems(order=DELIVERED, items=(had,), method="paypal_1001"), "wrong_refund"),
        (ReturnItems(order=DELIVERED, items=(), method="card_1001"), "no_items"),
        (ReturnItems(order=DELIVERED, items=(had,) * 2, method="card_1001"), "no_such_item"),
        (ReturnItems(order=RETURNED, items=(had,), method="card_1001"), "already_changed"),
        (ExchangeItems(order=PENDING, swaps=(Swap(old=mine, new=other),), method="card_1001"), "wrong_state"),
    ]
    for number, (change, code) in enumerate(cases):
        planned, done = await demo.plan(SAM, change), await demo.perform(SAM, change, f"k{number}")
        assert isinstance(planned, Refusal) and planned == done and planned.code == code, (change, planned)
        assert planned.sentence.endswith(".")
    assert await demo.everything() == before


async def test_unavailable_options_are_refused(demo: DemoShop) -> None:
    stock = await demo.everything()
    gone = next(v for product in stock.products for v in product.variants if not v.available)
    order = next(
        order
        for order in stock.orders
        if order.state is State.PENDING and any(item.product == gone.product for item in order.items)
    )
    item = next(item for item in order.items if item.product == gone.product)
    customer = next(c for c in stock.customers if c.id == order.customer)
    swap = (Swap(old=item.id, new=gone.id),)
    no = await demo.plan(
        customer.id, ChangeItems(order=order.number, swaps=swap, method=customer.payment_methods[0].id)
    )
    assert isinstance(no, Refusal) and no.code == "unavailable"


async def test_items_change_once_and_then_the_order_is_closed(demo: DemoShop) -> None:
    mine, other, _ = await _item(demo, PENDING)
    change = ChangeItems(order=PENDING, swaps=(Swap(old=mine, new=other),), method="paypal_1001")
    before = await demo.find(PENDING, SAM)
    done = await demo.perform(SAM, change, "k")
    assert isinstance(done, Done) and done.order is not None and before is not None
    assert done.order.state is State.MODIFIED and done.order.items[0].id == other and done.order.can == ()
    [moved] = done.money
    difference = done.order.total - before.total
    assert moved.amount == abs(difference) and moved.kind == ("payment" if difference > 0 else "refund")
    assert await demo.perform(SAM, change, "k") == done
    for closed in (
        change,
        Cancel(order=PENDING, reason="no longer needed"),
        ChangeAddress(order=PENDING, address=ELSEWHERE),
    ):
        no = await demo.perform(SAM, closed, "another key")
        assert isinstance(no, Refusal) and no.code == "already_changed"


async def test_an_exchange_happens_once(demo: DemoShop) -> None:
    had, better, _ = await _item(demo, DELIVERED)
    change = ExchangeItems(order=DELIVERED, swaps=(Swap(old=had, new=better),), method="card_1001")
    assert isinstance(await demo.perform(SAM, change, "k"), Done)
    for late in (change, ReturnItems(order=DELIVERED, items=(had,), method="card_1001")):
        no = await demo.perform(SAM, late, "l")
        assert isinstance(no, Refusal) and no.code == "already_changed"


async def test_gift_cards_are_charged_and_refilled_at_once(demo: DemoShop, rules: Policy) -> None:
    order = await demo.find(PENDING, SAM)
    sam = await demo.customer(SAM)
    assert order is not None and sam is not None
    to_gift = ChangePayment(order=PENDING, method="gift_1001")
    planner = Rules(rules, lambda item: None, date(2025, 3, 12))
    for balance, fits in ((order.total - Decimal("0.01"), False), (order.total, True)):
        methods = tuple(replace(m, balance=balance) if m.balance is not None else m for m in sam.payment_methods)
        plan = planner.decide(replace(sam, payment_methods=methods), order, to_gift)
        assert isinstance(plan, Plan) is fits
    assert isinstance(plan, Plan) and plan.customer is not None and plan.order is not None
    spent = plan.customer.method("gift_1001")
    assert spent is not None and spent.balance == Decimal("0.00")
    undone = planner.decide(plan.customer, plan.order, Cancel(order=PENDING, reason="no longer needed"))
    assert isinstance(undone, Plan) and undone.customer is not None
    back = undone.customer.method("gift_1001")
    assert back is not None and back.balance == order.total
    assert [(paid.method, paid.amount) for paid in undone.money] == [("gift_1001", order.total)]


async def test_the_days_for_a_return_are_counted_from_delivery(demo: DemoShop, rules: Policy) -> None:
    order, sam = await demo.find(DELIVERED, SAM), await demo.customer(SAM)
    assert order is not None and sam is not None
    arrived = order.shipments[0].delivered_on
    assert arrived is not None
    strict = rules.model_copy(update={"return_": rules.return_.model_copy(update={"window_days": 14})})
    change = ReturnItems(order=DELIVERED, items=(order.items[0].id,), method="card_1001")
    last = Rules(strict, lambda item: None, arrived + timedelta(days=14)).decide(sam, order, change)
    late = Rules(strict, lambda item: None, arrived + timedelta(days=15)).decide(sam, order, change)
    assert isinstance(last, Plan) and isinstance(late, Refusal) and late.code == "too_late"


async def test_a_new_address_of_the_customer_leaves_orders_alone(demo: DemoShop) -> None:
    done = await demo.perform(SAM, ChangeOwnAddress(address=ELSEWHERE), "k")
    assert isinstance(done, Done)
    sam, order = await demo.customer(SAM), await demo.find(PENDING, SAM)
    assert sam is not None and sam.address == ELSEWHERE
    assert order is not None and order.address != ELSEWHERE


async def test_changes_are_still_there_when_the_shop_opens_again(demo: DemoShop) -> None:
    done = await demo.perform(SAM, Cancel(order=PENDING, reason="ordered by mistake"), "k")
    await demo.stop()
    order = await demo.find(PENDING, SAM)
    assert isinstance(done, Done) and order == done.order
    assert order is not None and order.state is State.CANCELLED and order.payments[-1].kind == "refund"


def test_every_mistake_in_a_policy_file_is_reported_at_once(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text("cancel: {states: [pending], reasons: []}\nchange_address: {states: [lost]}\ncolour: red\n")
    with pytest.raises(SettingsError) as wrong:
        load_policy(path)
    text = str(wrong.value)
    assert all(key in text for key in ("cancel.reasons", "change_address.states.0", "colour", "return", "exchange"))


async def test_the_same_key_at_the_same_time_does_it_once(demo: DemoShop) -> None:
    change = Cancel(order=PENDING, reason="no longer needed")
    answers = await asyncio.gather(*(demo.perform(SAM, change, "k") for _ in range(5)))
    assert all(answer == answers[0] for answer in answers) and isinstance(answers[0], Done)
    order = await demo.find(PENDING, SAM)
    assert order is not None and [paid.kind for paid in order.payments] == ["payment", "refund"]


async def test_of_two_people_at_once_one_is_refused(demo: DemoShop) -> None:
    change = Cancel(order=PENDING, reason="no longer needed")
    answers = await asyncio.gather(*(demo.perform(SAM, change, f"k{n}") for n in range(5)))
    assert sorted(type(answer).__name__ for answer in answers) == ["Done", *["Refusal"] * 4]


async def test_each_piece_is_swapped_once_where_one_becomes_what_another_was(demo: DemoShop, rules: Policy) -> None:
    order, sam = await demo.find(PENDING, SAM), await demo.customer(SAM)
    assert order is not None and sam is not None
    product = await demo.product(order.items[0].product)
    assert product is not None
    a, b, c = [variant for variant in product.variants if variant.available][:3]
    two = replace(order, items=tuple(replace(order.items[0], id=each.id, price=each.price) for each in (a, b)))
    known = {each.id: each for each in product.variants}
    swaps = (Swap(old=a.id, new=b.id), Swap(old=b.id, new=c.id))
    plan = Rules(rules, known.get, date(2025, 3, 12)).decide(
        sam, two, ChangeItems(order=order.number, swaps=swaps, method="card_1001")
    )
    assert isinstance(plan, Plan) and plan.order is not None
    assert [item.id for item in plan.order.items] == [b.id, c.id]


async def test_numbers_are_found_as_people_write_them(demo: DemoShop) -> None:
    for written in ("#W1000159", "w1000159", "1000159", "W-100 0159"):
        order = await demo.find(written, SAM)
        assert order is not None and order.number == PENDING
    assert await demo.find("#W1000159", "nora_hall_1002") is None
