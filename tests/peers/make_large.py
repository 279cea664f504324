"""Signs a card with a large picture in it, as a scanned paper has one: make_large.py FIXTURES OUT SIZE_BYTES.

B-LT, by pyHanko with the test keys; the picture is noise of a fixed seed, so that nothing compresses it away.
"""

import random
import sys
from datetime import datetime, timezone
from pathlib import Path

from asn1crypto import crl, keys, pem, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers, timestamps
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

SIGNED_AT = datetime(2024, 1, 24, 3, 5, 0, tzinfo=timezone.utc)


def der(path):
    data = path.read_bytes()
    return pem.unarmor(data)[2] if pem.detect(data) else data


def main():
    fixtures, out, size = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    certificate = lambda name: x509.Certificate.load(der(fixtures / name))
    private = lambda name: keys.PrivateKeyInfo.load(der(fixtures / "keys" / f"{name}.key.pem"))
    root, issuing = certificate("trust/root.pem"), certificate("trust/issuing.pem")
    others = SimpleCertificateStore()
    others.register(issuing)
    signer = signers.SimpleSigner(certificate("originals/own.der"), private("signer"), others)
    stamper = timestamps.DummyTimeStamper(
        certificate("originals/tsa.der"), private("tsa"), others, fixed_dt=SIGNED_AT)
    lists = [crl.CertificateList.load(der(fixtures / "trust" / name))
             for name in ("root.crl.pem", "issuing.crl")]
    context = ValidationContext(trust_roots=[root], other_certs=[issuing], crls=lists,
                                allow_fetching=False, moment=SIGNED_AT)
    writer = IncrementalPdfFileWriter(
        open(fixtures / "originals" / "unsigned-table.pdf", "rb"))  # Closed when this ends.
    noise = random.Random(9971).randbytes(size)
    picture = writer.add_object(generic.StreamObject(stream_data=noise, dict_data={
        pdf_name("/Type"): pdf_name("/XObject"), pdf_name("/Subtype"): pdf_name("/Image"),
        pdf_name("/Width"): generic.NumberObject(1000),
        pdf_name("/Height"): generic.NumberObject(size // 1000),
        pdf_name("/ColorSpace"): pdf_name("/DeviceGray"),
        pdf_name("/BitsPerComponent"): generic.NumberObject(8)}))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Resources"][pdf_name("/XObject")] = generic.DictionaryObject(
        {pdf_name("/Im1"): picture})
    writer.update_container(page["/Resources"])
    meta = signers.PdfSignatureMetadata(
        field_name="TTE1", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES,
        embed_validation_info=True, validation_context=context)
    with open(out, "wb") as file:
        signers.PdfSigner(meta, signer, timestamper=stamper).sign_pdf(writer, output=file)


if __name__ == "__main__":
    main()
