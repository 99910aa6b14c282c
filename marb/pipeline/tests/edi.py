"""Small X12 files for the belt's tests, one transaction set for each list of amounts."""

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260101*1200*^*00501*000000001*0*P*:~"


def claim_file(*sets: list[str], is_broken: bool = False) -> bytes:
    """An 837P with a set for each list of CLM02 amounts; broken, its sets are of those that are rejected."""
    return claim_sets(*(claim_set(number, amounts, is_broken) for number, amounts in enumerate(sets, 1)))


def claim_sets(*sets: str) -> bytes:
    gs = "GS*HC*SENDER*RECEIVER*20260101*1200*1*X*005010X222A1~"
    return f"{ISA}\n{gs}\n{''.join(sets)}GE*{len(sets)}*1~\nIEA*1*000000001~\n".encode()


def claim_set(number: int, amounts: list[str], is_broken: bool = False) -> str:
    control = f"{number:04}"
    claims = [f"CLM*C{number}-{i}*{amount}***11:B:1*Y*A*Y*Y" for i, amount in enumerate(amounts)]
    # no reader takes a segment over 64 KB
    broken = [f"NTE*ADD*{'x' * 70_000}"] if is_broken else []
    head = [f"ST*837*{control}*005010X222A1", "BHT*0019*00*1*20260101*1200*CH", "HL*1**20*1", "HL*2*1*22*0"]
    return written([*head, *claims, *broken], control)


def remittance_file(*paid: str) -> bytes:
    claims = [f"CLP*C{i}*1*100*{amount}**MC*P{i}" for i, amount in enumerate(paid)]
    gs = "GS*HP*PAYER*PROVIDER*20260101*1200*7*X*005010X221A1~"
    body = written(["ST*835*0001", "LX*1", *claims], "0001")
    return f"{ISA}\n{gs}\n{body}GE*1*7~\nIEA*1*000000001~\n".encode()


def written(segments: list[str], control: str) -> str:
    return "".join(f"{segment}~\n" for segment in [*segments, f"SE*{len(segments) + 1}*{control}"])


def response_file() -> bytes:
    gs = "GS*FA*PAYER*PROVIDER*20260101*1200*7*X*005010X231A1~"
    return f"{ISA}\n{gs}\nST*999*0001~\nAK1*HC*1~\nSE*3*0001~\nGE*1*7~\nIEA*1*000000001~\n".encode()
