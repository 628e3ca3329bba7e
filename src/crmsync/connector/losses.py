"""Why a call was lost, in words: not reached, no answer in time, broken off, not HTTP."""

from __future__ import annotations

import socket
import ssl

import httpx

from crmsync.connector.transport import BadCompression, ReplyTooLarge
from crmsync.model.text import Text

NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
TRY_LATER = Text(
    zh="稍后再试；已完成的部分不会重做。", en="Try again later; what is done stays done."
)

CHECK_ADDRESS = Text(
    zh="请核对连接的地址与网络后再试；已完成的部分不会重做。",
    en="Check the connection's address and the network, then try again; what is done stays done.",
)


def no_way(problem: Exception) -> Text:
    """Why no connection came about, as far as the system says."""
    reasons: list[BaseException] = [problem]
    while (below := reasons[-1].__cause__ or reasons[-1].__context__) is not None:
        reasons.append(below)
    if any(isinstance(reason, socket.gaierror) for reason in reasons):
        return Text(zh="找不到这个主机名", en="there is no host of that name")
    if any(isinstance(reason, ssl.SSLCertVerificationError) for reason in reasons):
        return Text(zh="对方的证书不可信", en="its certificate is not trusted")
    if any(isinstance(reason, ConnectionRefusedError) for reason in reasons):
        return Text(zh="那里没有服务在监听", en="nothing listens there")
    if any(isinstance(reason, httpx.TimeoutException) for reason in reasons):
        return Text(zh="没有在限定时间内接通", en="no connection within the deadline")
    return Text(zh="接不通", en="no connection")


BROKEN_OFF = ("peer closed connection", "server disconnected")
"""How httpcore's words begin when a reply just ended; the rest was not HTTP at all."""


def not_http(problem: Exception) -> bool:
    """Whether what came cannot have been HTTP: a wrong port, or a proxy's own words."""
    return isinstance(problem, httpx.RemoteProtocolError) and not str(problem).lower().startswith(
        BROKEN_OFF
    )


def why(problem: Exception) -> Text:
    """What became of the reply."""
    if isinstance(problem, httpx.TimeoutException):
        return Text(zh="没有在限定时间内答复", en="no complete answer within the deadline")
    if isinstance(problem, ReplyTooLarge):
        size = f"{problem.cap / 1048576:.0f} MiB"
        return Text(
            zh=f"回复超过 {size} 的大小上限，已拒绝",
            en=f"the reply is larger than the cap of {size}: refused",
        )
    if isinstance(problem, BadCompression):
        return Text(zh="回复的压缩内容损坏", en="the reply's compression is broken")
    if not_http(problem):
        return Text(zh="回复不是 HTTP", en="the reply is not HTTP")
    return Text(zh="连接中断", en="the connection broke off")
