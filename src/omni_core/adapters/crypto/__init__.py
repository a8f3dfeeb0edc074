"""Keys, digests and seals."""

from omni_core.adapters.crypto.master_key import MasterKey
from omni_core.adapters.crypto.sealing import AesGcmSeal, HmacDigest

__all__ = ["AesGcmSeal", "HmacDigest", "MasterKey"]
