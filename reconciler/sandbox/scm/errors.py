"""SCM's refusals: `{code, description}` with the vendor's texts."""

from collections.abc import Mapping

from starlette.responses import Response

from reconciler.sandbox.scm.answers import json_answer

TEXTS: Mapping[int, str] = {
    0: "Being processed by Sectigo",
    -1: "Unknown error.",
    -2: "Internal error. Please contact Support for details.",
    -3: "You are not authorized to perform {0}.",
    -7: "{0} is required but missing.",
    -9: "The CSR is not valid Base-64 data!",
    -10: "Error while decoding CSR.",
    -11: "The CSR uses an unsupported algorithm!",
    -13: "The CSR uses an unsupported key size!",
    -16: "Unknown user",
    -23: "The certificate hasn't been approved yet!",
    -36: "The validity period (term) is invalid for this certificate profile.",
    -37: "Access denied.",
    -39: "{0}",
    -62: "Missing mandatory custom field!",
    -102: "Only issued certificates could be revoked.",
    -103: "Certificate has not been collected yet.",
    -105: "Error was occurred while renewing cert. Status = {0}",
    -107: "Domain Control Validation is either incomplete or expired for {0}."
    " Please complete it before requesting a certificate.",
    -109: "Certificate is not available now, please try again later.",
    -110: "Certificate has been revoked and cannot be downloaded.",
    -111: "No certificate profile found by id {0}",
    -123: "SSL Certificate to renew is invalid (null)",
    -124: "Wrong SSL certificate id {0}.",
    -130: "SSL state is not 'ISSUED': {0}",
    -135: "Custom field cannot be found: {0}",
    -138: "Invalid CSR.",
    -139: "External Requester is required.",
    -141: "The public key size in the CSR should be {0} bits minimum.",
    -166: "Entered data doesn't match the certificate or no valid certificate found",
    -169: "Certificate is not available, please contact administrator.",
    -170: "Based on the customer configuration, ECC CSRs are not allowed.",
    -180: "This SSL Certificate Profile doesn't allow renew",
    -181: "Anchor Certificate details do not match to your request.",
    -183: "Certificate is not collectable.",
    -188: "This user have already reached the maximum allowed number of valid certificates: {0}",
    -213: "Old password is incorrect",
    -220: "Password can't be the same.",
    -639: "Supplied orgid invalid..",
    -700: "Such domain already exists",
    -705: "This operation cannot be performed as the delegation status is other than 'Requested'.",
    -709: "Please delegate domain to at least one organization or department.",
    -714: "The domain name should have at least {0} dots.",
    -715: "The domain '{0}' is inactive.",
    -723: "{0} is not a high-level domain. Only high-level domains can be validated.",
    -724: "The request for '{0}' cannot be processed since it's domain validation status is {1}.",
    -727: "The domain '{0}' does not exist.",
    -732: "Invalid domain name.",
    -737: "The domain(s): {0} are not validated! Please perform the DCV process for them before proceed.",
    -738: "Access denied. You are not allowed to perform the {0} operation on this domain.",
    -740: "This operation cannot be performed due to SSL certificates enrolled for this domain or its subdomains.",
    -843: "SSL certificate of this type cannot be requested due to '{0}' validation status of the selected"
    " organization.",
    -951: "At least one of the following fields must be filled in: {0}.",
    -976: "New password must be between {0} and 32 characters.",
    -982: "New password must not contain Login.",
    -993: "Certificate orders currently restricted",
    -1001: "Value of '{0}' must not be null.",
    -1002: "Cannot parse message body",
    -1010: "Domain '{0}' is not allowed.",
    -1021: "This operation cannot be performed for Organization '{0}'.",
    -1023: "Organization '{0}' not found.",
    -1104: "Invalid order number {0}",
    -1112: "Certificate can't be approved cause it has state = {0}",
    -1137: "The domain(s) {0} have not been validated under the DCV procedure.",
    -1140: "Since you are a requester of this certificate you can't approve it."
    " For EV certificates the requester and the approver must not be the same person.",
    -1400: "The request is being processed by Sectigo.",
    -1450: "Unsupported certificate format specified: {0}",
    -1601: "Field '{0}' has invalid value.",
    -1608: "DCV is not enabled for this customer.",
    -5101: "Certificate not found. {0}",
}


class RefusedError(Exception):
    """A call that SCM refuses. Raised anywhere below a handler; the service makes it the answer."""

    def __init__(self, code: int, *values: object, status: int = 400, description: str | None = None) -> None:
        self.code = code
        self.status = status
        self.description = TEXTS[code].format(*values) if description is None else description
        super().__init__(f"{code}: {self.description}")

    def answer(self) -> Response:
        return json_answer({"code": self.code, "description": self.description}, status=self.status)
