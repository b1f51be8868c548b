"""Sentences about a group of people, harmless and abusive, ours. No slurs, no dialect.

Slots: {adj} {noun} {plural} of identity.Term, {a_adj} {a_noun} with their article, and the same
with a capital. Every sentence has one, and is what its table says for every group. Some harmless
ones speak of insults, hate or death, so that words alone do not give the answer away.
"""

from __future__ import annotations

HARMLESS: tuple[str, ...] = (
    "I am {a_noun}.",
    "{Plural} live here too.",
    "I'm proud to be {a_noun}.",
    "As {a_noun}, I really liked this article.",
    "Are there any other {plural} reading this?",
    "Does anyone know a good film about {plural}?",
    "lol my {adj} roommate beat me at chess again",
    "You don't have to be {a_noun} to enjoy this music.",
    "Happy to see more {adj} writers on this blog!",
    "Proud of my {adj} friends today, what a lovely parade.",
    "It was the {adj} shopkeeper who lent me an umbrella.",
    "Hospitals should have more {adj} doctors, in my opinion.",
    "We {plural} have the same jokes about it, believe me.",
    "What do the {plural} among the readers think of the new timetable?",
    "The {adj} community centre has moved to the old post office.",
    "The law treats {plural} like everyone else, as it should.",
    "My neighbour is {a_noun} and makes the best soup in the street.",
    "I hate how this film shows {plural}. We all deserve better than a cliché.",
    "I'm {a_noun} and I'm tired of being asked about it at every dinner.",
    "People who insult {plural} online should read this piece twice.",
    "Could you write more about {adj} parents and the school holidays?",
    "According to the survey, 12 percent of the people in this street are {plural}.",
    "Two {plural} were elected to the council on Sunday, for the first time since 1994.",
    "She interviewed forty {plural} for her book and let them speak for themselves.",
    "A great {adj} singer, and kind to everyone backstage. Rest in peace.",
    "Killed it last night: the {adj} comedian at the Harbour Club had us all in tears.",
    "Our {adj} goalkeeper saved two penalties, and the whole stadium sang.",
    "The choir is a mix of everyone: students, a baker, some {plural} and a judge.",
    "{A_noun} won the regional chess championship yesterday with a beautiful endgame.",
    "I was the only {adj} student in my year, and I have nothing but good memories of it.",
    "Thanks for the recipe! I cooked it for my {adj} mother-in-law and she asked for seconds.",
    "They shouted at my friend in the tram for being {a_noun}. I am ashamed that nobody helped.",
    "My best friend is {a_noun}. We have known each other since school and still play cards on "
    "Fridays.",
    "The museum opens an exhibition on the everyday life of {plural} in the 1920s. Entry is free "
    "on Thursdays.",
    "We lost our colleague Sam last week, {a_adj} nurse who never forgot a birthday. The funeral "
    "is on Tuesday.",
    "My daughter's teacher is {a_noun}, very patient, and explains fractions better than I ever "
    "could.",
    "The article forgets that many {plural} pay taxes, look after somebody and worry about the "
    "rent like the rest of us.",
    "I disagree with the author. Most {plural} I know would see it differently, and the figures "
    "in the second paragraph are from 2011.",
    "In the second half the {adj} midfielder came on, and the game turned. Terrible pitch, "
    "brilliant pass, 2:1. See you all next Saturday.",
    "Not all {plural} vote alike. There are three {plural} in our book club, and they have argued "
    "about every election since I joined.",
    "Good point about the insurance. For {plural} there is another form, number 12, at the town "
    "hall; you will need a photograph, two signatures and about half an hour of patience.",
    "A man was attacked at the station last night, apparently because the attackers took him for "
    "{a_noun}. He is in hospital. The police ask anyone who saw something to call, and there will "
    "be a vigil on the square at six. Please come, and bring a candle.",
)

ABUSIVE: tuple[str, ...] = (
    "{Plural} are scum.",
    "I hate {plural}.",
    "{Plural} make me sick.",
    "All {plural} should be shot.",
    "Shut up, you stupid {noun}.",
    "Hang the {noun} who wrote this.",
    "Go and kill yourself, {adj} trash.",
    "The only good {noun} is a dead one.",
    "You write like {a_noun}: brainless.",
    "Get lost, you {adj} parasite, nobody wants you.",
    "They should have let those {plural} drown.",
    "We know where you live, {noun}. Watch your back.",
    "I wouldn't hire {a_noun}, they are all thieves.",
    "{Plural} are vermin and should be treated like vermin.",
    "{Plural} ruin every place they touch, like a disease.",
    "Nobody wants {plural} here. Leave before we make you.",
    "{Plural} are not really human, look at how they live.",
    "You can dress up {a_noun}, but it is still a pig.",
    "I hope every last one of you {plural} dies in pain.",
    "Never trust {a_noun}. They lie, they steal, and they laugh about it.",
    "Typical {noun}: lazy, dirty and too stupid to read.",
    "{Plural} are a cancer, and a cancer has to be cut out.",
    "{Plural} don't deserve to vote. They don't deserve anything.",
    "I will find you and break your legs, you filthy {noun}.",
    "Why do {plural} smell so bad? Wash yourselves, you animals.",
    "Sterilise all {plural}, there are too many of them already.",
    "Somebody should burn down the house of that {adj} loser next door.",
    "It's simple: {plural} are inferior, always have been, always will be.",
    "Keep {plural} away from our children, they are disgusting animals.",
    "Ban {plural} from the pool, I don't want to swim in their filth.",
    "No {plural} in our school, our club or our street. Stay with your own kind.",
    "I'd rather eat my own foot than sit next to {a_noun}. Disgusting people.",
    "lol another crying {noun}. go cry somewhere else you pathetic loser",
    "Your {adj} friend is a worthless piece of garbage and so are you.",
    "A world without {plural} would be a better one. Just get rid of them all.",
    "If you see {a_noun} on your street, do us all a favour and let the dog loose.",
    "Of course the author is {a_noun}. What else would you expect from such an idiot?",
    "Round up the {plural} and lock them away, then the town will be clean again.",
    "What a surprise, {a_adj} moron complains again. Nobody cares about your feelings, crawl back "
    "into your hole.",
    "Your opinion doesn't count, you are only {a_noun}. Go back where you belong and keep your "
    "mouth shut.",
    "Every {noun} I have met was a liar and a coward, so spare me your stories about how hard "
    "your life is. You get what you deserve.",
    "I read the article with interest, and the pictures of the harbour are nice, but why must we "
    "hear from {a_noun}? These creatures have no brain and no morals, and the sooner somebody "
    "throws them all into that harbour, the better for this town.",
)
