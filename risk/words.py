"""The model's columns in words: what weighs against a claim, and what to do about it. Pure."""

RATES = {
    "payer": ("This payer's claims", "Check the payer's own conditions before it is sent."),
    "procedure": ("Claims with a procedure of this one", "Check coverage and documentation of the procedure."),
    "payer_procedure": (
        "This payer's claims with a procedure of this one",
        "Check the payer's policy for the procedure.",
    ),
    "modifier": ("Claims with these modifiers", "Check whether the modifiers fit the procedures."),
    "payer_modifier": ("This payer's claims with these modifiers", "Check the payer's rules for the modifiers."),
    "diagnosis": ("Claims with a diagnosis of this one", "Check that the diagnosis supports the services."),
    "diagnosis_procedure": (
        "Claims with this pair of diagnosis and procedure",
        "Check that the diagnosis supports the procedure (medical necessity).",
    ),
    "place": ("Claims from this place of service", "Check the place of service."),
    "payer_place": ("This payer's claims from this place of service", "Check the payer's rules for the place."),
    "billing": ("Claims of this billing provider", "Check the billing provider's enrolment with the payer."),
    "rendering": ("Claims of this rendering provider", "Check the rendering provider's credentials with the payer."),
    "authorization": (
        "Claims like this one, with or without an authorization",
        "Check whether an authorization is needed (REF*G1).",
    ),
    "delay": ("Claims sent as late after service as this one", "Send claims sooner after service."),
    "duplicate": ("Claims that repeat an earlier one", "Ask for the earlier claim's status first."),
    "charge": ("Claims with charges of this size", "Check units and charges."),
    "combined": ("Claims alike in several ways", "Go through the claim as a whole."),
    "any_line": ("Claims with as many lines of this kind", "Check each service line."),
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
    "charge_to_expected": ("The charge is far from what is expected.", "Check units and charges."),
    "finding_count": ("The claim's findings speak against it.", "Mend the claim's findings before it is sent."),
    "modifier_count": ("The number of modifiers speaks against the claim.", "Check the modifiers of each line."),
    "is_secondary": ("Claims to a later payer are denied more often.", "Check what the earlier payer paid."),
    "is_new_patient": ("New patients' claims are denied more often.", "Check eligibility."),
    "line_count": ("The number of lines speaks against the claim.", "Check each service line."),
    "unit_total": ("The number of units speaks against the claim.", "Check the units of each line."),
}


def words_of(name: str) -> tuple[str, str]:
    """Say what a column of the model means where it raises the probability: (message, recommendation)."""
    if name in FACTS:
        return FACTS[name]
    base, _, last = name.rpartition("_")
    is_recent = base.endswith("_recent")
    if last == "rate" and (base.removesuffix("_recent")) in RATES:
        message, recommendation = RATES[base.removesuffix("_recent")]
        return f"{message} were often denied{' lately' if is_recent else ''}.", recommendation
    plain = name.replace("_", " ")
    return f"History speaks against the claim: {plain}.", f"Check the claim's {plain}."
