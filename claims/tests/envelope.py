"""The envelope and levels that a test's claim stands in, and the reading of it."""

from collections.abc import Iterable

from claims.edi837 import ParsedClaim, QuarantinedClaim, parse_claims
from marb.edi.x12 import Excerpt, Separators, Span, read_separators

ISA = (
    "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *240115*1200*^*00501*000000007*0*P*:~"
    "GS*HC*S*R*20240115*1200*8*X*{guide}~"
)
HEADING = "ST*837*0009*{guide}~BHT*0019*00*1*20240115*1200*{purpose}~NM1*41*2*SUBMITTER*****46*1~NM1*40*2*R*****46*2~"
BILLING = (
    "HL*1**20*1~PRV*BI*PXC*207Q00000X~NM1*85*2*NORTH CLINIC*****XX*1234567893~N3*1 MAIN ST*SUITE 2~"
    "N4*TOWN*PA*190010000~REF*EI*123456789~"
)
SUBSCRIBER = (
    "HL*2*1*22*0~SBR*P*18*GROUP1******CI~NM1*IL*1*DOE*ANN****MI*W1~N3*2 OAK AVE~N4*TOWN*PA*19001~"
    "DMG*D8*19700102*F~NM1*PR*2*ACME HEALTH*****PI*60054~"
)
TAIL = "SE*99*0009~GE*1*8~IEA*1*000000007~"
CLAIM = "CLM*PCN1*100***11:B:1*Y*A*Y*Y~HI*ABK:J209*ABF:E119~"
LINE = "LX*1~SV1*HC:99213*100*UN*1***1~DTP*472*D8*20240110~"
PROFESSIONAL, INSTITUTIONAL, DENTAL = "005010X222A1", "005010X223A2", "005010X224A2"


def file_text(*loops: str, guide: str = PROFESSIONAL, purpose: str = "CH") -> str:
    """Write a whole file round the loops of one transaction set."""
    return (ISA + HEADING).format(guide=guide, purpose=purpose) + "".join(loops) + TAIL


def excerpt(text: str | bytes) -> Excerpt:
    """Take a whole file as one body."""
    data = text.encode("latin-1") if isinstance(text, str) else text
    return Excerpt(read_separators(data), [], Span(0, 0, data), "")


def read(*loops: str, guide: str = PROFESSIONAL, purpose: str = "CH") -> list[ParsedClaim | QuarantinedClaim]:
    return list(parse_claims(excerpt(file_text(*loops, guide=guide, purpose=purpose))))


def parsed(results: Iterable[ParsedClaim | QuarantinedClaim]) -> list[ParsedClaim]:
    """Hold that every result is a readable claim."""
    claims = list(results)
    assert all(isinstance(claim, ParsedClaim) for claim in claims), claims
    return [claim for claim in claims if isinstance(claim, ParsedClaim)]


def read_claim(claim: str, *, above: str = BILLING + SUBSCRIBER, guide: str = PROFESSIONAL) -> ParsedClaim:
    """Read one claim that must be readable."""
    (result,) = parsed(read(above, claim, guide=guide))
    return result


def read_quarantined(claim: str, *, above: str = BILLING + SUBSCRIBER, guide: str = PROFESSIONAL) -> QuarantinedClaim:
    """Read one claim that must go into quarantine."""
    (result,) = read(above, claim, guide=guide)
    assert isinstance(result, QuarantinedClaim), result
    return result


def cut(text: str, at: int) -> tuple[Excerpt, Excerpt]:
    """Cut a file before the border segment at byte `at`; the second excerpt has the open loops as its context."""
    data = text.encode("latin-1")
    separators = read_separators(data)
    return (
        Excerpt(separators, [], Span(0, 0, data[:at]), ""),
        Excerpt(
            separators, context_of(data, at, separators), Span(at, position_at(data, at, separators), data[at:]), ""
        ),
    )


def position_at(data: bytes, at: int, separators: Separators) -> int:
    since = data.rfind(b"ST*837", 0, at)
    return data[since:at].count(separators.segment.encode()) + 1 if since >= 0 else 0


def context_of(data: bytes, at: int, separators: Separators) -> list[Span]:
    """Take the stretches before `at` that hold ISA, GS, the set's heading and the open levels, without any CLM."""
    spans: list[Span] = []
    end = separators.segment.encode()
    set_start = data.rfind(b"ST*837", 0, at)
    if set_start < 0:
        return [Span(0, 0, data[:at])]
    spans.append(Span(0, 0, data[:set_start]))
    levels: dict[bytes, tuple[int, int]] = {}
    heading_end = at
    start = set_start
    open_level: bytes | None = None
    for segment in data[set_start:at].split(end)[:-1]:
        if segment.startswith((b"HL*", b"CLM*")):
            heading_end = min(heading_end, start)
            open_level = segment.split(b"*")[3] if segment.startswith(b"HL*") else None
            if open_level:
                levels = {code: place for code, place in levels.items() if code < open_level}
                levels[open_level] = (start, start)
        if open_level:
            levels[open_level] = (levels[open_level][0], start + len(segment) + 1)
        start += len(segment) + 1
    spans.append(Span(set_start, 1, data[set_start:heading_end]))
    spans += [Span(a, position_at(data, a, separators), data[a:b]) for a, b in sorted(levels.values())]
    return spans
