"""The reference receiver."""

import socket

import httpx

from api.receiver import Receiver


def test_a_body_that_was_cut_off_is_no_push() -> None:
    with Receiver() as receiver:
        address = httpx.URL(receiver.url)
        with socket.create_connection((address.host, address.port or 80)) as sender:
            sender.sendall(b"POST /push HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{")
            sender.shutdown(socket.SHUT_WR)  # as a process does that is killed
            assert sender.recv(100) == b"", "no answer: the sender sends it again"
        assert receiver.pushes == []
        httpx.post(receiver.url, content=b"{}", headers={"content-type": "application/json"}, trust_env=False)
        assert len(receiver.pushes) == 1
