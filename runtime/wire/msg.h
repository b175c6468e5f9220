/* Frame types and hard limits of the protocol (runtime/PROTOCOL.md). */
#ifndef FASTEST_WIRE_MSG_H
#define FASTEST_WIRE_MSG_H

enum wire_limit {
    WIRE_VERSION = 1,
    WIRE_HEADER_BYTES = 12,
    WIRE_MAX_PAYLOAD = 256 * 1024 * 1024,
    WIRE_MAX_HELLO = 4096,             /* before a peer has said who it is */
    WIRE_MAX_QUEUE = 512 * 1024 * 1024 /* unsent bytes for a peer that does not read */
};

enum wire_role { ROLE_NONE = 0, ROLE_CLIENT = 1, ROLE_SESSION = 2, ROLE_WORKER = 3 };

enum msg_type {
    WIRE_HELLO = 1,
    WIRE_BATCH = 2,
    WIRE_MODULE = 3,
    WIRE_RESULT = 4,
    WIRE_MODULE_END = 5,
    WIRE_BATCH_END = 6,
    WIRE_ERROR = 7,
    WIRE_STOP = 8,
    WIRE_STATUS = 9,
    WIRE_PLAN = 10,
    WIRE_WATCH = 11,
    WIRE_CONFIG = 16,
    WIRE_READY = 17,
    WIRE_SESSION = 18,
    WIRE_EXITED = 19,
    WIRE_COLLECTED = 20,
    WIRE_FORK = 21,
    WIRE_SERVE = 22,
    WIRE_RUN = 23,
    WIRE_NEED = 24,
    WIRE_HOLD = 25,
    WIRE_END = 26,
    WIRE_IDLE = 27,
    WIRE_GONE = 28,
    WIRE_SOURCE = 29,
    WIRE_KEEP = 30,
    WIRE_SPENT = 31,
    WIRE_LIMIT = 32,
    WIRE_ATTEMPT = 33,
    WIRE_NOTICE = 12,
    WIRE_ALONE = 13
};

enum collected_flag { COLLECTED_FORKS = 1, COLLECTED_INTERRUPTED = 2 };
enum watch_flag { WATCH_WITH_TEXT = 1, WATCH_NOTICES_ONLY = 2 };
enum module_end_flag { MODULE_END_PARTIAL = 1, MODULE_END_SPLIT = 2, MODULE_END_DEFERRED = 4 };

#endif
