"""What is said: the scripts from which every transcript is composed, one line a turn.

``>`` the caller, ``<`` the agent, ``?`` the agent answering from its knowledge base, ``!`` a tool of the agent. Braces
are slots (a name, a day, an order number), filled once for each conversation by ``pipelines.emulator.data.callers``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that people ring about: its title, the sentence that sums it up, its language and its lines."""

    title: str
    summary: str
    lines: tuple[tuple[str, str], ...]
    language: str = "en"


def _topic(title: str, summary: str, script: str, language: str = "en") -> Topic:
    lines = tuple((line[0], line[2:]) for line in map(str.strip, script.strip().splitlines()))
    return Topic(title, summary, lines, language)


CLINIC = (
    _topic(
        "Appointment moved",
        "{name} asked to move an appointment with {doctor}. The agent found the record and offered {day} at {time}.",
        """
        > Hello, I have an appointment with {doctor} and I can't make it. Could we find another day?
        < Of course. May I have your full name and date of birth, please?
        > It's {name}, born on the {number} of March.
        ! find_customer
        < Thank you, {first}. I can see your visit with {doctor}. Would {day} at {time} suit you?
        > Let me check. Is there anything later that day?
        ! list_slots
        < I also have {later} on {day}, which is the last one before closing.
        > {later} works for me, thank you.
        ! book_slot
        < Wonderful, you are booked for {day} at {later}. You will get a text message within a few minutes.
        """,
    ),
    _topic(
        "Question about preparation",
        "{name} wanted to know how to prepare for a blood test and whether parking is available.",
        """
        > Hi, I have a blood test on {day} and I'm not sure whether I may eat before it.
        ? For a fasting blood test please eat nothing for twelve hours before. Water is fine, and so are your pills.
        > What about coffee? I can't start the day without one.
        ? I'm afraid coffee counts as food here, even black. You are welcome to have one straight after, in our lobby.
        > And where do I park?
        ? The car park behind the building is free for patients during the first {number} minutes.
        """,
    ),
    _topic(
        "Repeat prescription",
        "{name} requested a repeat prescription; the agent passed the request on for approval by {doctor}.",
        """
        > I need to renew my prescription before the weekend, please.
        < I can help with that. Which medicine is it, and how much do you have left?
        > It's the blood pressure tablets, I have {number} left.
        ! find_customer
        < I have found you, {first}. {doctor} needs to approve it, which normally takes until {day}.
        > That is cutting it fine. Could somebody ring me if there's a problem?
        < Certainly. I have noted {phone} as the number to call.
        """,
    ),
)

HOTEL = (
    _topic(
        "Late arrival",
        "{name} announced a late arrival for reservation {order}; the agent noted it and explained the night entrance.",
        """
        > Good evening, we have a reservation tonight but our train is delayed.
        < I'm sorry to hear that. Could you give me the reservation number or the name?
        > {order}, under {name}.
        ! lookup_reservation
        < Thank you, {first}. Room {room} is ready for you and will be held all night. When do you expect to arrive?
        > Probably around {later}. Will anybody be there?
        ? The reception closes at eleven; after that the night entrance opens with the code from your confirmation.
        > Perfect. Could you also tell me until when breakfast is served?
        ? Breakfast is served from half past six until ten, and until eleven on weekends.
        """,
    ),
    _topic(
        "Zimmer umgebucht",
        "{name} bat um ein ruhigeres Zimmer; der Agent fand Zimmer {room} und bestätigte die Umbuchung.",
        """
        > Guten Tag, könnten wir ein ruhigeres Zimmer bekommen? Wir schauen direkt auf die Straße.
        < Sehr gern. Wie lautet bitte Ihre Buchungsnummer?
        > Einen Moment … {order}.
        ! lookup_reservation
        < Danke, {first}. Ich kann Ihnen Zimmer {room} zum Innenhof anbieten, ohne Aufpreis.
        > Das wäre großartig. Wann können wir umziehen?
        < Ab {time} Uhr. Unser Team bringt Ihr Gepäck selbstverständlich hinüber.
        """,
        "de",
    ),
    _topic(
        "Restaurant table",
        "{name} asked for a table in the restaurant for {number} people on {day} and for vegetarian dishes.",
        """
        > Could you book a table for {number} for {day} evening?
        < With pleasure. Would {time} or {later} suit you better?
        > {later}, please. Two of us are vegetarian, is that a problem?
        ? Not at all. The menu marks vegetarian dishes with a leaf, and the chef changes most others on request.
        > Lovely.
        ! book_table
        < Your table is booked for {day} at {later}. Is there anything else I can do for your stay?
        """,
    ),
)

MOTORS = (
    _topic(
        "Service reminder",
        "The agent reminded {name} of the yearly service of the {car} and agreed on {day} at {time}.",
        """
        < I'm calling because your {car} is due for its yearly service. Is this a good moment?
        > Oh, yes, that's right. How long would it take?
        ? The yearly service takes about two hours, and you can wait in the lounge or take a loan car.
        > What would it cost?
        < For the {car} it is {amount} pounds, including the oil and the filters.
        > Okay, let's do it. When could I bring it in?
        ! list_slots
        < The first free place is {day} at {time}. Shall I book that for you?
        > Yes, please do.
        ! book_slot
        < Done. I have sent the confirmation to {email}.
        """,
    ),
    _topic(
        "Recall letter",
        "{name} had received a recall letter for the {car}; the agent checked the vehicle and offered a loan car.",
        """
        < I'm calling about the recall letter that we sent you for your {car}.
        > I've seen it, but is it dangerous to drive?
        ? The car may be driven. The recall replaces a sensor that can switch on a warning light without a reason.
        > Fine. Will I have to pay for it?
        < No, a recall is always free of charge. The registration ends in {number}, is that right?
        > Yes, that's the one.
        ! find_customer
        < Thank you, {first}. I can offer you {day} at {time}, with a loan car for the day.
        > I'd rather call back about the date, I need to look at my calendar.
        """,
    ),
)

PARCELS = (
    _topic(
        "Where is my parcel",
        "{name} asked where parcel {order} is. The agent found it at the depot in {city} and gave the delivery day.",
        """
        > hi, where is my parcel? it should have been here yesterday
        < I'm sorry about the wait. Could you send me the tracking number?
        > {order}
        ! track_parcel
        < Thank you. Your parcel is at our depot in {city} and will be delivered on {day} before {time}.
        > ok. can it be left with a neighbour? 🙂
        ! open_form
        < Yes, please choose the neighbour in the form that has just opened.
        > done, thanks
        """,
    ),
    _topic(
        "Paquete dañado",
        "{name} recibió el paquete {order} dañado; el agente abrió una reclamación y prometió respuesta el {day}.",
        """
        > Hola, mi paquete {order} llegó roto. ¿Qué hago?
        < Lo siento mucho, {first}. ¿Podría describir el daño, por favor?
        > La caja está aplastada y falta una pieza.
        ! create_claim
        < He abierto una reclamación. Recibirá una respuesta en {email} antes del {day}.
        > Gracias. ¿Me devuelven el dinero?
        ? Si se confirma el daño, se reembolsa el valor declarado, hasta 500 euros.
        """,
        "es",
    ),
    _topic(
        "Refund not received",
        "{name} had not received a refund of {amount} pounds for order {order}; a claim was opened.",
        """
        > I sent back order {order} two weeks ago and I still have no refund
        < Let me look that up for you.
        ! track_parcel
        < I can see that it reached us on {day}. The refund is {amount} pounds, is that what you expect?
        > yes, {amount}. I'm losing patience to be honest
        < I understand, and I apologise. I'm opening a claim so that a colleague looks at it today.
        ! create_claim
        < You will hear from us at {email}. Is there anything else?
        """,
    ),
)

BILLING = (
    _topic(
        "Bill higher than expected",
        "{name} disputed a bill of {amount} pounds; the agent explained the estimated reading and corrected it.",
        """
        > My bill is {amount} pounds this month. That can't be right.
        < I understand your concern. Could you tell me the customer number on the bill?
        > It's {order}.
        ! find_customer
        < Thank you, {first}. The bill is based on an estimated reading. Do you have the reading of your meter at hand?
        > Yes: {room}, and two digits after that I can't read.
        ! correct_reading
        < That is enough. The corrected bill will reach you by {day}, and what you paid too much will be set off.
        > All right. And if I can't pay in one go?
        ? You can pay in up to six monthly parts without interest. The plan starts with the next bill.
        """,
    ),
    _topic(
        "Moving house",
        "{name} is moving to {city} on {day}; the agent recorded the move and explained the final reading.",
        """
        > I'm moving to {city} on {day}. What do I need to do?
        < Congratulations on the new home. May I have your customer number first?
        > {order}, the name is {name}.
        ! find_customer
        ? Please note the meter reading on the day you hand over the keys. We then close the account within a week.
        > And can you supply the new flat?
        < Gladly. I have everything I need, apart from the new street and the number of people.
        > It's {number} people. I'll send the address by email.
        """,
    ),
)

SMALL_TALK = (
    ("Sorry, could you say that again?", "Of course. I said that everything is set up for {day}."),
    ("Will I get that in writing?", "Yes, a confirmation goes to {email} within the next ten minutes."),
    ("And what happens if I'm late?", "Just give us a call; up to {number} minutes are no problem at all."),
    (
        "Can I change it online as well?",
        "You can. The link in your confirmation lets you change it until the day before.",
    ),
    ("My daughter may call instead, is that okay?", "That is fine, I have added a note for {first}'s account."),
    ("Is there a fee for that?", "No, there is no charge for this, {first}."),
    ("Are you a real person?", "I'm a virtual assistant, but I can bring in a colleague whenever you like."),
    ("Okay. Give me a second, I'm writing this down.", "Take your time, I'm not going anywhere."),
    ("How far is it from {city}?", "It is about {number} minutes by car, a little more in the morning traffic."),
    ("Thanks, that is really helpful.", "I'm glad to hear that. Shall I repeat the details once more?"),
    ("Hm, I'm not sure {day} is good after all.", "No problem. We could also look at {later} on the day after."),
)
FAREWELLS = {
    "en": (
        ("That's all, thank you. Bye!", "Thank you for getting in touch, {first}. Have a lovely day. Goodbye!"),
        ("No, that was it.", "Then I wish you a pleasant day. Take care, {first}!"),
        ("Great, bye bye.", "Goodbye, and do get in touch if anything else comes up."),
    ),
    "de": (("Vielen Dank, auf Wiederhören.", "Ich danke Ihnen, {first}. Einen schönen Tag noch!"),),
    "es": (("Perfecto, gracias.", "Gracias a usted, {first}. ¡Que tenga un buen día!"),),
}
