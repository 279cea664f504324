"""What pyHanko says of many files, in one process.

    judge_pyhanko.py TRUST_FOLDER MOMENT < PATHS > VERDICTS

One path a line in; one line of JSON a path out: {"verdict": "valid" | "not valid" | "error", "said": "...", "seconds": 0.2}.
A file is valid where each signature's bottom line is good, judged as of MOMENT with what the folder holds, or as a
signature that was meant to last, judged by its own archive data.
"""

import asyncio
import json
import logging
import sys
import time
from datetime import datetime
from pathlib import Path

from asn1crypto import crl, pem, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.ades.report import AdESPassed
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.ades import ades_lta_validation
from pyhanko.sign.validation.policy_decl import (
    LocalKnowledge, PdfSignatureValidationSpec, SignatureValidationSpec)
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import (
    REQUIRE_REVINFO, CertRevTrustPolicy, RevocationCheckingPolicy)
from pyhanko_certvalidator.registry import SimpleTrustManager


def der(path):
    data = path.read_bytes()
    return pem.unarmor(data)[2] if pem.detect(data) else data


class Trust:
    def __init__(self, folder, moment):
        self.root = x509.Certificate.load(der(folder / "root.pem"))
        self.issuing = x509.Certificate.load(der(folder / "issuing.pem"))
        self.lists = [crl.CertificateList.load(der(folder / name))
                      for name in ("root.crl.pem", "issuing.crl")]
        self.moment = moment

    def words(self):
        return {"trust_roots": [self.root], "other_certs": [self.issuing], "crls": self.lists,
                "allow_fetching": False, "revocation_mode": "soft-fail"}

    def context(self):
        return ValidationContext(moment=self.moment, **self.words())


def lasting(signature, trust):
    """Whether it passes as a signature that was meant to last (ETSI EN 319 102-1, 5.6.3)."""
    certificates = CertValidationPolicySpec(
        trust_manager=SimpleTrustManager.build([trust.root]),
        revinfo_policy=CertRevTrustPolicy(
            RevocationCheckingPolicy.from_legacy("soft-fail")))
    spec = PdfSignatureValidationSpec(SignatureValidationSpec(
        cert_validation_policy=certificates,
        local_knowledge=LocalKnowledge(known_certs=[trust.issuing])))
    timing = ValidationTimingInfo(
        validation_time=trust.moment, best_signature_time=trust.moment, point_in_time_validation=False)
    return asyncio.run(ades_lta_validation(signature, spec, timing))


def judge(path, trust):
    with open(path, "rb") as file:
        signatures = PdfFileReader(file).embedded_regular_signatures
        if not signatures:
            return "not valid", "not signed"
        said = []
        for signature in signatures:
            context = trust.context()
            status = validate_pdf_signature(signature, context, ts_validation_context=context)
            words, good = status.summary(), status.bottom_line
            if not good:
                try:
                    result = lasting(signature, trust)
                    words = f"{words}; meant to last: {result.ades_subindic}"
                    api = result.api_status
                    good = isinstance(result.ades_subindic, AdESPassed) and (
                        api is None or (api.docmdp_ok and api.coverage is not None))
                except Exception as error:  # The same as below: its first answer stands.
                    words = f"{words}; meant to last: {type(error).__name__}"
            said.append((good, words))
        return ("valid" if all(good for good, _ in said) else "not valid",
                "; ".join(words for _, words in said))


def main():
    logging.disable(logging.CRITICAL)
    moment = datetime.fromisoformat(sys.argv[2])
    trust = Trust(Path(sys.argv[1]), moment)
    for line in sys.stdin:
        since = time.perf_counter()
        try:
            verdict, said = judge(line.strip(), trust)
        except Exception as error:  # Whatever it raises is its answer: many oddities end that way.
            verdict, said = "error", type(error).__name__
        print(json.dumps({"verdict": verdict, "said": said,
                          "seconds": time.perf_counter() - since}), flush=True)


if __name__ == "__main__":
    main()
