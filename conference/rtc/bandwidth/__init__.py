"""How much one receiver's way can carry, learnt from when its packets arrive.

`send_history` remembers what was sent and reads the receiver's feedback, `queue_delay`, `loss` and `delivered_rate` say
what that means, `rate` keeps the estimate, `probing` finds out whether there is more, `estimator` joins them.
`told_rate` is for who tells a rate instead.
"""

from .estimator import Estimator
from .send_history import MEDIA, PROBE, RETRANSMISSION, RING, SendHistory
from .told_rate import ToldRate

__all__ = ["MEDIA", "PROBE", "RETRANSMISSION", "RING", "Estimator", "SendHistory", "ToldRate"]
