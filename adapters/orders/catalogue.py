"""What the demo shop sells and the words that its people are made of. Only lists."""

from __future__ import annotations

CATALOGUE: tuple[tuple[str, str, dict[str, tuple[str, ...]]], ...] = (
    ("T-Shirt", "19.00", {"color": ("white", "black", "navy", "green"), "size": ("S", "M", "L", "XL")}),
    ("Running Shoes", "89.00", {"size": ("7", "8", "9", "10", "11"), "color": ("black", "blue", "white")}),
    ("Rain Jacket", "120.00", {"color": ("yellow", "navy", "red"), "size": ("S", "M", "L", "XL")}),
    ("Water Bottle", "24.00", {"capacity": ("500 ml", "750 ml", "1 l"), "color": ("steel", "blue", "red", "black")}),
    ("Backpack", "65.00", {"capacity": ("18 l", "24 l", "30 l"), "color": ("grey", "green", "black")}),
    ("Desk Lamp", "48.00", {"color": ("white", "black", "brass"), "power": ("USB", "mains", "battery")}),
    ("Office Chair", "310.00", {"material": ("mesh", "fabric", "leather"), "color": ("black", "grey")}),
    ("Bookshelf", "140.00", {"material": ("oak", "pine", "metal"), "height": ("4 ft", "5 ft", "6 ft")}),
    ("Wool Blanket", "79.00", {"color": ("cream", "grey", "rust"), "size": ("single", "double", "king")}),
    ("Tea Kettle", "42.00", {"material": ("steel", "glass", "enamel"), "capacity": ("1 l", "1.7 l")}),
    ("Coffee Grinder", "95.00", {"type": ("hand", "electric"), "color": ("black", "silver", "wood")}),
    ("Espresso Machine", "420.00", {"type": ("manual", "automatic", "capsule"), "color": ("black", "silver")}),
    ("Frying Pan", "38.00", {"size": ("8 inch", "10 inch", "12 inch"), "coating": ("ceramic", "steel", "iron")}),
    ("Headphones", "159.00", {"type": ("over-ear", "in-ear"), "color": ("black", "white", "blue")}),
    ("Bluetooth Speaker", "72.00", {"color": ("red", "blue", "black"), "battery": ("10 hours", "20 hours")}),
    ("Mechanical Keyboard", "110.00", {"switches": ("clicky", "linear", "tactile"), "size": ("full", "80%", "60%")}),
    ("Wireless Mouse", "35.00", {"color": ("black", "white", "pink"), "hand": ("right", "left", "both")}),
    ("Tablet", "499.00", {"storage": ("64 GB", "128 GB", "256 GB"), "color": ("silver", "black", "gold")}),
    ("Phone Charger", "27.00", {"output": ("20 W", "45 W", "65 W"), "color": ("white", "black")}),
    ("Yoga Mat", "33.00", {"thickness": ("4 mm", "6 mm"), "color": ("purple", "green", "blue", "grey")}),
    ("Dumbbell Set", "130.00", {"weight": ("2-10 kg", "5-20 kg"), "material": ("iron", "rubber", "vinyl")}),
    ("Bicycle Helmet", "58.00", {"size": ("S", "M", "L"), "color": ("white", "red", "black", "blue")}),
    ("Garden Hose", "44.00", {"length": ("25 ft", "50 ft", "100 ft"), "color": ("green", "black")}),
    ("Jigsaw Puzzle", "22.00", {"pieces": ("500", "1000", "2000"), "theme": ("mountains", "harbor", "animals")}),
    ("Notebook", "12.00", {"size": ("A5", "A4"), "paper": ("lined", "dotted", "plain")}),
    ("Pet Bed", "54.00", {"size": ("S", "M", "L"), "color": ("grey", "brown", "beige")}),
)

FIRST_NAMES = (
    *("Amara", "Anya", "Ben", "Carla", "Chen", "Daniel", "Diego", "Elena", "Emma", "Farid", "Fiona", "George", "Grace"),
    *("Hana", "Hugo", "Ines", "Isaac", "Ivan", "Jade", "James", "Julia", "Karim", "Kenji", "Lara", "Leo", "Lucia"),
    *("Maya", "Mei", "Mohamed", "Nadia", "Noah", "Nora", "Olivia", "Omar", "Paolo", "Priya", "Quinn", "Rosa", "Ruth"),
    *("Samir", "Sofia", "Tariq", "Tessa", "Uma", "Victor", "Wanda", "Yara", "Yusuf", "Zoe"),
)
LAST_NAMES = (
    *("Adams", "Ahmed", "Baker", "Brown", "Castillo", "Chen", "Davis", "Diaz", "Evans", "Fischer", "Garcia", "Gupta"),
    *("Hall", "Hassan", "Ito", "Jackson", "Johansson", "Kaur", "Kim", "Kovacs", "Lee", "Lopez", "Martin", "Moore"),
    *("Murphy", "Nguyen", "Novak", "Okafor", "Olsen", "Patel", "Perez", "Quigley", "Rossi", "Santos", "Schmidt"),
    *("Silva", "Singh", "Taylor", "Thomas", "Ueda", "Vargas", "Walker", "Wilson", "Young", "Zhang"),
)
STREETS = (
    *(
        "Maple Street",
        "Oak Avenue",
        "Cedar Lane",
        "Hill Road",
        "River Road",
        "Elm Street",
        "Park Avenue",
        "Main Street",
    ),
    *("Sunset Drive", "Lake View", "Mill Lane", "Spruce Street", "Highland Drive", "Laurel Lane", "Broadway"),
)
# City, state, telephone area code, first three digits of its postcodes.
CITIES = (
    ("New York", "NY", "212", "100"),
    ("Chicago", "IL", "312", "606"),
    ("Houston", "TX", "713", "770"),
    ("Phoenix", "AZ", "602", "850"),
    ("Denver", "CO", "303", "802"),
    ("Seattle", "WA", "206", "981"),
    ("Boston", "MA", "617", "021"),
    ("Atlanta", "GA", "404", "303"),
    ("Portland", "OR", "503", "972"),
    ("San Diego", "CA", "619", "921"),
)
