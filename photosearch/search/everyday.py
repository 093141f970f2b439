"""What people look for in family photos."""

EVERYDAY = tuple(
    """a cat;a dog;a sunset over the sea;children playing;a birthday cake;snow in the mountains;
a beach;a flower;food on a table;a cup of coffee;a bicycle;a car;a train;a bus;a motorcycle;a boat;
a horse;a bird;a lion;a wild animal;a forest in autumn;fireworks;a wedding;a Christmas tree;
a city at night;a church;a castle;a bridge;a garden;a waterfall;a lake;people dancing;a baby;
a group of people;a person smiling;a page of text;a temple;a tower;a rocket launch;the moon;
an astronaut;coins;a football match;swimming;skiing;a camera;a market;a museum""".replace(
        "\n", ""
    ).split(";")
)
