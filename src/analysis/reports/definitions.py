"""The words that every report explains at its end, and the limits it states."""

DEFINITIONS = {
    "Claim": "A bill with all its corrected versions and all answers to it, counted once.",
    "Allowed": "What the insurer accepts as the price: its own payment, the patient's part and "
    "general payment cuts.",
    "Approved": "More than nothing was allowed, whatever was paid. A claim that only meets a "
    "deductible is approved. It is partly approved when lines or units were cut.",
    "Denied": "The claim was judged and nothing was allowed. A reduction to the contracted price "
    "is no denial.",
    "Pending, rejected": "Pending: not finally judged. Rejected: stopped before it was judged. "
    "Neither is a denial.",
    "First and latest answer": "The first final decision on a claim, and the last one known on "
    "the day the answers were read. A payment taken back and its correction are one answer.",
    "Old enough to judge": "Older than the time in which nearly all of the practice's answers "
    "arrive. Younger claims are left out of rates.",
    "Range": "Where the rate may lie, given so many claims, with 95% confidence. Two rates whose "
    "ranges overlap widely may not differ at all.",
    "n": "How many claims a rate rests on.",
    "Not known": "Nobody wrote it down. It is never counted as missing.",
}

FOR_THE_PRACTICE = (
    "This report shows one practice's own figures, small groups included. To show figures to "
    "others, make a release, which withholds what could identify a person."
)
OF_A_RELEASE = (
    "This release may be passed on and quoted, each finding with its number, its range and the day "
    "of the answers. Counts that could identify a person are withheld, and so is whatever would "
    "give them away. It speaks for the claims counted here, not for others."
)
WHAT_A_RATE_SAYS = (
    "No published denial rate for massage claims was found; this suite measures it. A rate here "
    "is a count of the claims named, with the range that chance leaves open. It says what happened "
    "together, not what caused what."
)
MADE_UP = (
    "Made-up data.",
    "No patient, claim or payment behind these numbers is real. Insurers here are invented. "
    "Do not quote them.",
)
MADE_WITH = (
    "Made with Reimbursement Outcomes, free software under the MIT licence, on this computer; "
    "nothing was sent anywhere."
)
