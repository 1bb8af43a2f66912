"""The count of tokens against what a real tokenizer (o200k) says of the same words."""

from __future__ import annotations

import pytest

from bot.context.measure import of_line
from bot.llm.routing.counting import Counts
from bot.llm.tokens import HEARD, count, count_lines, count_tools
from bot.ports import Audio, Line, ToolCall, ToolSpec

COUNTED = {
    "English": (
        "Hello, I ordered a pair of running shoes two weeks ago and they still have not arrived. "
        "Could you please tell me where my parcel is, and whether I can still change the delivery"
        " address? My neighbour would be able to accept it on Friday afternoon. Thank you very mu"
        "ch for your help!",
        59,
    ),
    "German": (
        "Guten Tag, ich habe vor zwei Wochen ein Paar Laufschuhe bestellt und sie sind immer noch"
        " nicht angekommen. Könnten Sie mir bitte sagen, wo mein Paket ist und ob ich die Liefera"
        "dresse noch ändern kann? Meine Nachbarin könnte es am Freitagnachmittag annehmen. Vielen"
        " Dank für Ihre Hilfe!",
        65,
    ),
    "French": (
        "Bonjour, j'ai commandé une paire de chaussures de course il y a deux semaines et elles n"
        "e sont toujours pas arrivées. Pourriez-vous me dire où se trouve mon colis, et si je peu"
        "x encore changer l'adresse de livraison ? Ma voisine pourrait l'accepter vendredi après-"
        "midi. Merci beaucoup !",
        62,
    ),
    "Russian": (
        "Здравствуйте, две недели назад я заказал пару кроссовок, и они до сих пор не пришли. Не "
        "могли бы вы сказать, где находится моя посылка и можно ли ещё изменить адрес доставки? М"
        "оя соседка могла бы принять её в пятницу днём. Большое спасибо за помощь!",
        64,
    ),
    "Chinese": (
        "你好，我两周前订购了一双跑鞋，但至今仍未收到。请问我的包裹现在在哪里？我还可以更改送货地址吗？我的邻居星期五下午可以代收。非常感谢您的帮助！",
        52,
    ),
    "Japanese": (
        "こんにちは。二週間前にランニングシューズを一足注文しましたが、まだ届いていません。荷物が今どこにあるか、また配送先の住所をまだ変更できるか教えていただけますか。金曜日の午後なら"
        "隣人が受け取れます。どうもありがとうございます。",
        71,
    ),
    "Arabic": (
        "مرحبا، لقد طلبت زوجا من أحذية الجري قبل أسبوعين ولم يصل بعد. هل يمكنك أن تخبرني أين طردي"
        " وما إذا كان لا يزال بإمكاني تغيير عنوان التسليم؟ يمكن لجارتي استلامه بعد ظهر يوم الجمعة"
        ". شكرا جزيلا على مساعدتك!",
        64,
    ),
    "JSON": (
        '{"order_id": "#W2611340", "user": "sam_rivers_4321", "items": [{"name": "Running Shoes",'
        ' "item_id": "9791469541", "price": 147.05, "options": {"size": "9", "color": "yellow", "'
        'material": "synthetic"}}], "status": "pending", "address": {"city": "Austin", "zip": "78'
        '701", "state": "TX"}}',
        100,
    ),
    "Python": (
        "def count_lines(lines, model=''):\n    total = 0\n    for line in lines:\n        total += "
        "FRAME + count(line.text, model)\n        if line.pictures:\n            total += PICTURE *"
        " len(line.pictures)\n    return total\n",
        52,
    ),
}


@pytest.mark.parametrize("language", COUNTED)
def test_a_paragraph_is_counted_about_right(language: str) -> None:
    text, tokens = COUNTED[language]
    assert 0.87 <= count(text) / tokens <= 1.15


def test_nothing_is_nothing_and_more_is_more() -> None:
    assert count("") == 0
    assert count("word " * 200) > count("word " * 100) > count("word") > 0


def test_other_families_need_more() -> None:
    text = COUNTED["German"][0]
    assert count(text, "Qwen2.5-1.5B") > count(text, "gpt-4o")


def test_a_recording_counts_by_its_length_and_rather_too_much() -> None:
    """Ten seconds: 320 kB of plain samples; an MP3 of speech has 40 kB or more."""
    wav, mp3 = Audio(data="A" * 426_668, format="wav"), Audio(data="A" * 53_336, format="mp3")
    assert round(wav.seconds, 2) == round(mp3.seconds, 2) == 10
    heard = Line(role="user", text="Hello", audio=(wav, mp3))
    plain = Line(role="user", text="Hello")
    assert count_lines((heard,)) - count_lines((plain,)) == pytest.approx(2 * 10 * HEARD, abs=1)
    assert of_line(heard, count) - of_line(plain, count) == pytest.approx(2 * 10 * HEARD, abs=1)
    counts = Counts()
    assert counts.of((heard, plain)) == count_lines((heard, plain))
    assert list(counts._kept) == [plain], "megabytes are not kept to save a count"


def test_calls_pictures_and_tools_count_too() -> None:
    plain = (Line(role="user", text="Hello"),)
    seen = (Line(role="user", text="Hello", pictures=("https://shop.example/a.png",)),)
    called = (Line(role="assistant", calls=(ToolCall(id="1", name="find", arguments='{"order": "1000123"}'),)),)
    assert count_lines(seen) > count_lines(plain) > count_lines(()) == 0
    assert count_lines((*plain, *called)) > count_lines(plain) + 5
    assert count_tools((ToolSpec(name="find", description="Finds an order.", parameters={"type": "object"}),)) > 5
