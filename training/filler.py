"""Harmless paragraphs that people pad a comment with. Ours, on everyday matters, no links."""

from __future__ import annotations

import random

PARAGRAPHS = tuple(
    " ".join(paragraph.split())
    for paragraph in """
We moved the tomatoes to the south wall this spring and they have never done better. The bricks
keep the warmth until late in the evening, and the old gutter gives enough rain for a week. Next
year I want to try beans there too, if the snails leave us any.

The first thing my piano teacher taught me was to play slowly. She said that fingers remember
whatever you do, mistakes included, so it is better to be slow and right. Thirty years later I
still hear her voice whenever I open a new piece of music.

Our library opens on Sundays now, thanks to a dozen volunteers. There is a chess table by the
window, a corner for small children and a shelf where you can leave a book and take another. I
found a history of lighthouses there that kept me busy for a month.

If your bread comes out dense, give the dough more time before you shape it. The clock in the
recipe was written for a warmer kitchen than mine. I look at the size of the dough instead, and
put it in the oven when it has nearly doubled.

The night train was late, but nobody in our carriage minded. A student shared her oranges, an
old couple told us how they had crossed the same mountains on a motorcycle, and when the sun came
up we were all standing at the window to see the lake.

I repaired my grandmother's sewing machine with a drop of oil and a rubber band. The manual was
still in the drawer, with her notes in pencil. It now sews as evenly as the new ones in the shop,
and it will probably outlive me as well.

For anyone planning the coastal walk: start early, take more water than you think, and keep some
coins for the ferry. The path is well marked as far as the chapel. After that you follow the
yellow arrows, which somebody repaints every summer.

Last week we counted birds in the park with the school. The children saw nine kinds in an hour,
among them a kingfisher that waited on a branch until everyone had seen it. The sheets go to a
national survey that has been running since the seventies.

The council has put the plans for the new bridge in the town hall. There are two lanes for
bicycles and a bench in the middle. You can leave a note with your opinion until the end of the
month, and somebody at the desk will explain the drawings.

My brother keeps bees on the roof of his office. In May he gave every colleague a small jar with
a label drawn by his daughter. He says that the city is a good place for them, because something
is in flower from March until October.

I used to think that running was dull. Then a neighbour asked me to come along one morning, and
we talked so much that I forgot the distance. We have gone out every Thursday since then, rain or
shine, and neither of us owns a watch.

The exhibition has only thirty photographs, and that is exactly the right number. Each one gets a
wall of its own and enough light to look at it closely. I liked the one of the empty swimming
pool best, with the towel still on the rail.

Before you buy a new battery, clean the contacts with a dry cloth and try again. Ours started
working after that, although the shop had already ordered a spare. It is the sort of thing that
takes two minutes and saves an afternoon.

In my village the baker closes at noon and the café opens at six, so the square is quiet all
afternoon. Visitors find this strange at first. By the end of the week they sit on the steps with
a book like the rest of us.

We have had the same weather three days in a row: fog until ten, bright sun, and a short shower
just when the laundry is dry. The forecast promises wind from the west at the weekend, which
should at least be good for the kites.

The second half was better than the first. They moved the ball faster, used the wings, and the
young goalkeeper made two fine saves near the end. A draw was fair for both sides, and the crowd
stayed to applaud the players off the field.

My mother writes her recipes without any quantities. A bit of flour, enough milk, some patience,
as she puts it. I have tried to measure what she does with a kitchen scale, but she notices and
starts to laugh, and then the result is never the same.

The course takes ten evenings and ends with a small test. You learn how to read a map, how to tie
five knots and what to do when the fog comes in. Our instructor has sailed around half of the
world and tells a story after each lesson.

I reread the novel after twenty years and it was a different book. The parts that I had skipped
as a student, all those long descriptions of the harbour, are what I now enjoy the most. The plot
I had remembered almost entirely wrong.

Our dog is afraid of exactly two things, umbrellas and the neighbour's tortoise. Everything else
he greets like an old friend, including the vet. We have learned to cross the street when it
rains, and the tortoise has learned to ignore us.

They finally planted trees along the station road. Small ones, of course, tied to stakes, but in
ten years there will be shade all the way to the market. The man who waters them in the morning
knows the name of every single kind.

The trick with this kind of spreadsheet is to keep the raw numbers on one page and the sums on
another. Then you can paste new figures each month without breaking anything. It took me several
evenings and some strong tea to find that out.

At the choir rehearsal we sang an old song in four parts for the first time. The basses got lost
in the second verse, the altos came to the rescue, and by the end it sounded nearly as it should.
The concert is on the last Friday before the holidays.

If you like quiet museums, visit the one about clocks. It has three rooms, a friendly guard and a
garden at the back. At noon all of the clocks strike, not quite together, and it takes nearly two
minutes until the last of them has finished.

The children built a weather station out of a bottle, a straw and some tape. It measures the rain
rather well and the wind not at all. They write the figures on the kitchen calendar every evening
and compare them with the newspaper the next morning.
""".strip().split("\n\n")
)


def harmless(words: int, rng: random.Random) -> str:
    """So many harmless words, in paragraphs."""
    paragraphs: list[str] = []
    while words > 0:
        for paragraph in rng.sample(PARAGRAPHS, len(PARAGRAPHS)):
            taken = paragraph.split()[:words]
            words -= len(taken)
            paragraphs += [" ".join(taken)] if taken else []
    return "\n\n".join(paragraphs)
