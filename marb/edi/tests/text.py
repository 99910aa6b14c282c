"""X12 text for tests: envelopes round bodies, and small ways to look at what a scan answers."""

from marb.edi.findings import Finding
from marb.edi.scan import ScannedChunk, ScannedSet, Totals, scan

CLAIM = "CLM*{pcn}*{charge}***11:B:1*Y*A*Y*Y~HI*ABK:J02~LX*1~SV1*HC:99213*{charge}*UN*1***1~DTP*472*D8*20260102~"
SUBSCRIBER = "HL*{number}*1*22*0~SBR*P*18*******CI~NM1*IL*1*DOE*JO****MI*A1~NM1*PR*2*PAYER*****PI*P1~"
PAYMENT = "CLP*{pcn}*1*100*{paid}**12*K1~CAS*CO*45*20~NM1*QC*1*DOE*JO~SVC*HC:99213*100*{paid}~DTM*472*20260102~"


def isa(control: str = "000000001", usage: str = "P") -> str:
    return (
        "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       "
        f"*260101*1200*^*00501*{control}*0*{usage}*:~"
    )


def interchange(*groups: str, control: str = "000000001", usage: str = "P") -> str:
    return isa(control, usage) + "".join(groups) + f"IEA*{len(groups)}*{control}~"


def group(*sets: str, code: str = "HC", guide: str = "005010X222A1", control: str = "1") -> str:
    return f"GS*{code}*APP*BPP*20260101*1200*{control}*X*{guide}~" + "".join(sets) + f"GE*{len(sets)}*{control}~"


def claim_set(*subscribers: list[str], control: str = "0001", guide: str = "005010X222A1") -> str:
    """An 837P: one billing provider, and for each list a subscriber with these charges."""
    body = "BHT*0019*00*1*20260101*1200*CH~NM1*41*2*S*****46*1~NM1*40*2*R*****46*2~HL*1**20*1~NM1*85*2*CLINIC~"
    for number, charges in enumerate(subscribers, 2):
        body += SUBSCRIBER.format(number=number)
        body += "".join(CLAIM.format(pcn=f"{control}-{number}-{n}", charge=c) for n, c in enumerate(charges))
    return closed(f"ST*837*{control}*{guide}~{body}", control)


def payment_set(*paid: str, control: str = "0001") -> str:
    """An 835 with one LX loop for every two claim payments."""
    body = f"ST*835*{control}~BPR*I*100*C*CHK************20260101~TRN*1*1*1~N1*PR*PAYER~N1*PE*CLINIC*XX*1~"
    for number, amount in enumerate(paid):
        body += f"LX*{number // 2 + 1}~" if number % 2 == 0 else ""
        body += PAYMENT.format(pcn=f"P{number}", paid=amount)
    return closed(body + "PLB*1*20261231*WO:X*5~", control)


def closed(body: str, control: str) -> str:
    return body + f"SE*{body.count('~') + 1}*{control}~"


class Result:
    """What a scan yielded, by kind."""

    def __init__(self, data: bytes | str | list[bytes], **options):
        data = data.encode("latin-1") if isinstance(data, str) else data
        self.all = list(scan(data if isinstance(data, list) else [data], **options))
        self.findings = [item for item in self.all if isinstance(item, Finding)]
        self.sets = [item for item in self.all if isinstance(item, ScannedSet)]
        self.chunks = [item for item in self.all if isinstance(item, ScannedChunk)]
        totals = self.all[-1]
        assert isinstance(totals, Totals)
        self.totals = totals

    def codes(self) -> list[tuple[str, str, str]]:
        return [(finding.level, finding.code_set, finding.code) for finding in self.findings]

    def statuses(self) -> list[str]:
        return [scanned.status for scanned in self.sets]


GOOD_HEAD = "GS*HC*A*B*20260101*1200*1*X*005010X222A1~ST*837*1*005010X222A1~BHT*0019*00*1~SV1*HC:1*1~"
