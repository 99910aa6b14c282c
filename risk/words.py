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
    "payer_modifiers": (
        "This payer's claims with these modifiers, whatever the procedure",
        "Check the payer's rules for the modifiers.",
    ),
    "payer_diagnosis": (
        "This payer's claims with this pair of diagnosis and procedure",
        "Check that the diagnosis supports the procedure (medical necessity).",
    ),
    "payer_authorization": (
        "This payer's claims like this one, with or without an authorization,",
        "Check whether the payer wants an authorization (REF*G1).",
    ),
    "payer_delay": ("This payer's claims sent as late after service as this one", "Send claims sooner after service."),
    "payer_weekday": ("This payer's claims sent on this weekday", "Look at what the payer denies on such days."),
    "payer_duplicate": (
        "This payer's claims that repeat an earlier one, or do not, as this one,",
        "Ask for the earlier claim's status first.",
    ),
    "payer_charge": ("This payer's claims with charges of this size", "Check units and charges."),
    "payer_billing": (
        "This billing provider's claims to this payer",
        "Check the billing provider's enrolment with the payer.",
    ),
    "payer_rendering": (
        "This rendering provider's claims to this payer",
        "Check the rendering provider's credentials with the payer.",
    ),
    "payer_pair": (
        "This payer's claims with these two procedures together",
        "Check whether the payer bundles them, and whether a modifier says that they are distinct.",
    ),
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
    "payer_known": ("How much is known of this payer speaks against the claim.", "Check the payer's conditions."),
    "payer_procedure_known": (
        "How seldom this payer has answered such a procedure speaks against the claim.",
        "Check the payer's policy for the procedure.",
    ),
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
