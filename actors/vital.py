"""A process whose threads are all needed: one that ends by an error nobody expected takes the process along.

Half a camera (read but not analysed, analysed but not published) would look alive for months. A process that ended is seen by
everybody and started again.
"""

import logging
import os
import threading

logger = logging.getLogger(__name__)


def end_process_with_any_thread() -> None:
    """From now on an unexpected error in any thread of this process is logged and ends the process (exit code 1)."""

    def end(failure: threading.ExceptHookArgs) -> None:
        if failure.exc_type is SystemExit:
            return  # meant
        name = failure.thread.name if failure.thread else "?"
        trace = (failure.exc_type, failure.exc_value or failure.exc_type(), failure.exc_traceback)
        logger.critical("thread ended by an error, process ends with it thread=%s", name, exc_info=trace)
        logging.shutdown()
        os._exit(1)

    threading.excepthook = end


def end_superseded_process(name: str) -> None:
    """Another process acts under ``name`` now: this one ends at once (exit code 1), with what it has not handed over."""
    logger.critical("superseded, process ends name=%s", name)
    logging.shutdown()
    os._exit(1)
