"""Small X12 files for the belt's tests, one transaction set for each list of amounts."""

ISA = "ISA*00*          *00*          *ZZ*SENDER         *ZZ*RECEIVER       *260101*1200*^*00501*000000001*0*P*:~"


def claim_file(*sets: list[str], se_count: str = "9", control: str = "1") -> bytes:
    """An 837P with a set for each list of CLM02 amounts."""
    body = "".join(claim_set(number, amounts, se_count) for number, amounts in enumerate(sets, 1))
    gs = f"GS*HC*SENDER*RECEIVER*20260101*1200*{control}*X*005010X222A1~"
    return f"{ISA}\n{gs}\n{body}GE*{len(sets)}*{control}~\nIEA*1*000000001~\n".encode()


def claim_set(number: int, amounts: list[str], se_count: str = "9") -> str:
    claims = "".join(f"CLM*C{number}-{i}*{amount}***11:B:1*Y*A*Y*Y~\n" for i, amount in enumerate(amounts))
    return f"ST*837*{number:04}*005010X222A1~\nBHT*0019*00*1*20260101*1200*CH~\n{claims}SE*{se_count}*{number:04}~\n"


def remittance_file(*paid: str) -> bytes:
    claims = "".join(f"CLP*C{i}*1*100*{amount}**MC*P{i}~\n" for i, amount in enumerate(paid))
    gs = "GS*HP*PAYER*PROVIDER*20260101*1200*7*X*005010X221A1~"
    return f"{ISA}\n{gs}\nST*835*0001~\n{claims}SE*9*0001~\nGE*1*7~\nIEA*1*000000001~\n".encode()


def response_file() -> bytes:
    gs = "GS*FA*PAYER*PROVIDER*20260101*1200*7*X*005010X231A1~"
    return f"{ISA}\n{gs}\nST*999*0001~\nAK1*HC*1~\nSE*3*0001~\nGE*1*7~\nIEA*1*000000001~\n".encode()
