"""The model's columns in words: what weighs against a claim, and what to do about it. Pure."""

RATES = {
    "payer": ("This payer's claims", "Check the payer's own conditions before it is sent."),
    "any_line": ("Claims with as many lines of this kind", "Check each service line."),
}
LOOK = "Look at the payer's denial patterns that the claim meets."
PATTERNS = {
    "pattern_chance": (
        "This payer denies many claims like this one.",
        "Check the payer's own conditions before it is sent.",
    ),
    "pattern_habit": (
        "This payer denies many lines, and the claim has many.",
        "Check each service line before it is sent.",
    ),
    "pattern_excess": ("Denial patterns of this payer speak against the claim.", LOOK),
    "pattern_worst": ("One line of the claim is of a kind that this payer denies.", LOOK),
    "pattern_whole": ("This payer denies claims like this one as a whole.", LOOK),
    "pattern_count": ("The claim meets several denial patterns of this payer.", LOOK),
}
FACTS = {
    "has_authorization": (
        "Whether there is an authorization speaks against the claim.",
        "Get the authorization number, and send it (REF*G1).",
    ),
    "has_referral": ("Whether there is a referral speaks against the claim.", "Send the referral number (REF*9F)."),
    "has_payer_number": (
        "Whether the payer's number of an earlier claim is there speaks against the claim.",
        "Send REF*F8 with a replacement, and only there.",
    ),
    "is_duplicate": ("The claim repeats an earlier one.", "Ask for the earlier claim's status first."),
    "days_to_submission": ("The time between service and claim speaks against it.", "Send claims sooner."),
    "filing_days_left": ("The time left for filing speaks against the claim.", "Send the claim before others."),
    "charge": ("Charges of this size are denied more often.", "Check units and charges."),
    "charge_to_usual": ("The charges are far from what these procedures usually cost.", "Check units and charges."),
    "charge_to_expected": ("The charge is far from what is expected.", "Check units and charges."),
    "finding_count": ("The claim's findings speak against it.", "Mend the claim's findings before it is sent."),
    "modifier_count": ("The number of modifiers speaks against the claim.", "Check the modifiers of each line."),
    "is_secondary": ("Claims to a later payer are denied more often.", "Check what the earlier payer paid."),
    "is_new_patient": ("New patients' claims are denied more often.", "Check eligibility."),
    "line_count": ("The number of lines speaks against the claim.", "Check each service line."),
    "diagnosis_count": ("The number of diagnoses speaks against the claim.", "Check the diagnoses."),
    "has_rendering": (
        "Whether a rendering provider is named speaks against the claim.",
        "Name the rendering provider (2310B).",
    ),
    "has_attending": (
        "Whether an attending provider is named speaks against the claim.",
        "Name the attending provider (2310A).",
    ),
    "has_principal": (
        "Whether there is a principal diagnosis speaks against the claim.",
        "Say the principal diagnosis (HI).",
    ),
    "has_prior_payment": (
        "Whether an earlier payer paid speaks against the claim.",
        "Send what the earlier payer paid (2320 AMT*D).",
    ),
    "is_self": (
        "Whether the patient is the subscriber speaks against the claim.",
        "Check the patient's relationship to the subscriber.",
    ),
    "is_institutional": ("Institutional claims are denied differently.", "Check the type of claim."),
    "is_dental": ("Dental claims are denied differently.", "Check the type of claim."),
    "is_corrected": ("Corrected claims are denied more often.", "Check the frequency code and REF*F8."),
    "is_facility": ("Claims from a facility are denied more often.", "Check the place of service."),
    "is_government": ("This kind of coverage is denied more often.", "Check the filing indicator and eligibility."),
    "weekday": ("Services of this weekday are denied more often.", "Check the dates of service."),
    "unit_total": ("The number of units speaks against the claim.", "Check the units of each line."),
}


def words_of(name: str) -> tuple[str, str]:
    """Say what a column of the model means where it raises the probability: (message, recommendation)."""
    if name in FACTS or name in PATTERNS:
        return FACTS[name] if name in FACTS else PATTERNS[name]
    base, _, last = name.rpartition("_")
    if last == "rate" and base in RATES:
        message, recommendation = RATES[base]
        return f"{message} were often denied.", recommendation
    plain = name.replace("_", " ")
    return f"History speaks against the claim: {plain}.", f"Check the claim's {plain}."
