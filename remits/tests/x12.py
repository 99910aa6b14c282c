"""835 text for tests: an envelope round what a test is about, and excerpts of it, whole or cut before a segment."""

from itertools import pairwise

from marb.edi.x12 import Excerpt, Separators, Span, read_segments, read_separators

ISA = "ISA*00*          *00*          *ZZ*PAYER          *ZZ*CLINIC         *250101*1200*^*00501*000000001*0*P*:~"
GS = "GS*HP*PAYER*CLINIC*20250101*1200*1*X*005010X221A1~"
HEADING = (
    "BPR*I*80*C*ACH*CCP*01*111*DA*222*1512345678**01*333*DA*444*20250110~TRN*1*TRACE1*1512345678~DTM*405*20250109~"
    "N1*PR*HARBOR HEALTH*XV*H0001~N3*1 MAIN ST~N4*BOSTON*MA*02110~REF*2U*P1~PER*BL*HELP DESK*TE*8005550100~"
    "N1*PE*ELM CLINIC*XX*1234567893~REF*TJ*123456789~LX*1~"
)
CLAIM = (
    "CLP*PCN1*1*100*80*5*12*ICN1*11*1~NM1*QC*1*DOE*JANE****MI*M1~DTM*232*20250102~"
    "SVC*HC:99213:25*100*80**1~DTM*472*20250102~CAS*CO*45*15~CAS*PR*1*5~REF*6R*1~AMT*B6*85~LQ*HE*N130~"
)


def wrap(*sets: str, isa: str = ISA, gs: str = GS) -> bytes:
    """Put ST and SE round each set, and an interchange round all."""
    bodies = [f"ST*835*{number:04d}~{body}SE*0*{number:04d}~" for number, body in enumerate(sets, 1)]
    return f"{isa}{gs}{''.join(bodies)}GE*{len(sets)}*1~IEA*1*000000001~".encode()


def whole(data: bytes) -> Excerpt:
    return Excerpt(read_separators(data[:500]), [], Span(0, 0, data), "005010X221A1")


def cut(data: bytes, size: int) -> list[Excerpt]:
    """Cut a file before its claim payments, `size` of them a piece, each piece with the context it stands in."""
    separators = read_separators(data[:500])
    segments = list(read_segments(Span(0, 0, data), separators))
    claims = [offset for offset, _, elements in segments if elements[0] == "CLP"]
    borders = [0, *claims[size::size], len(data)]
    positions = {offset: position for offset, position, _ in segments}
    return [
        Excerpt(
            separators,
            context_of(data, separators, start),
            Span(start, positions.get(start, 0), data[start:end]),
            "005010X221A1",
        )
        for start, end in pairwise(borders)
    ]


def context_of(data: bytes, separators: Separators, border: int) -> list[Span]:
    """Get the open ISA, GS, heading and LX loop before a border, as marb.edi.scan does."""
    kept: list[tuple[int, int, list[str]]] = []
    is_open = True
    for segment in read_segments(Span(0, 0, data[:border]), separators):
        name = segment[2][0]
        if name in RESETS:
            kept = [each for each in kept if each[2][0] in RESETS[name]]
            is_open = True
        elif name == "LX":
            kept = kept[: next((i for i, each in enumerate(kept) if each[2][0] == "LX"), len(kept))]
            is_open = True
        elif name in ("CLP", "PLB"):
            is_open = False
        if is_open:
            kept.append(segment)
    sizes = sizes_of(data, separators)
    return [Span(offset, position, data[offset : offset + sizes[offset]]) for offset, position, _ in kept]


RESETS = {"ISA": (), "GS": ("ISA",), "ST": ("ISA", "GS"), "SE": ("ISA", "GS"), "GE": ("ISA",), "IEA": ()}


def sizes_of(data: bytes, separators: Separators) -> dict[int, int]:
    offsets = [offset for offset, _, _ in read_segments(Span(0, 0, data), separators)]
    return {start: end - start for start, end in zip(offsets, [*offsets[1:], len(data)], strict=True)}
