"""Tags and values of FIX. Generated from fix_specs: `python -m gateway.fix.generate`; not edited by hand.

Tags are text, as they stand in a raw message; `Number` has them as numbers, as QuickFIX takes them.
"""

from enum import IntEnum, StrEnum

ACCOUNT = "1"
AVG_PX = "6"
BEGIN_SEQ_NO = "7"
BEGIN_STRING = "8"
BODY_LENGTH = "9"
CHECK_SUM = "10"
CL_ORD_ID = "11"
CUM_QTY = "14"
END_SEQ_NO = "16"
EXEC_ID = "17"
EXEC_REF_ID = "19"
EXEC_TRANS_TYPE = "20"
HANDL_INST = "21"
SECURITY_ID_SOURCE = "22"
LAST_PX = "31"
LAST_QTY = "32"
MSG_SEQ_NUM = "34"
MSG_TYPE = "35"
NEW_SEQ_NO = "36"
ORDER_ID = "37"
ORDER_QTY = "38"
ORD_STATUS = "39"
ORD_TYPE = "40"
ORIG_CL_ORD_ID = "41"
POSS_DUP_FLAG = "43"
PRICE = "44"
REF_SEQ_NUM = "45"
SECURITY_ID = "48"
SENDER_COMP_ID = "49"
SENDER_SUB_ID = "50"
SENDING_TIME = "52"
SIDE = "54"
SYMBOL = "55"
TARGET_COMP_ID = "56"
TARGET_SUB_ID = "57"
TEXT = "58"
TIME_IN_FORCE = "59"
TRANSACT_TIME = "60"
SETTL_DATE = "64"
TRADE_DATE = "75"
POSITION_EFFECT = "77"
RPT_SEQ = "83"
RAW_DATA_LENGTH = "95"
RAW_DATA = "96"
POSS_RESEND = "97"
ENCRYPT_METHOD = "98"
CXL_REJ_REASON = "102"
ORD_REJ_REASON = "103"
HEART_BT_INT = "108"
TEST_REQ_ID = "112"
ORIG_SENDING_TIME = "122"
GAP_FILL_FLAG = "123"
RESET_SEQ_NUM_FLAG = "141"
SENDER_LOCATION_ID = "142"
NO_RELATED_SYM = "146"
EXEC_TYPE = "150"
LEAVES_QTY = "151"
CUSTOMER_OR_FIRM = "204"
SECURITY_EXCHANGE = "207"
MD_REQ_ID = "262"
SUBSCRIPTION_REQUEST_TYPE = "263"
MARKET_DEPTH = "264"
MD_UPDATE_TYPE = "265"
NO_MD_ENTRY_TYPES = "267"
NO_MD_ENTRIES = "268"
MD_ENTRY_TYPE = "269"
MD_ENTRY_PX = "270"
MD_ENTRY_SIZE = "271"
MD_ENTRY_DATE = "272"
MD_ENTRY_TIME = "273"
MD_UPDATE_ACTION = "279"
MD_REQ_REJ_REASON = "281"
MD_ENTRY_POSITION_NO = "290"
SECURITY_TRADING_STATUS = "326"
REF_TAG_ID = "371"
REF_MSG_TYPE = "372"
SESSION_REJECT_REASON = "373"
BUSINESS_REJECT_REF_ID = "379"
BUSINESS_REJECT_REASON = "380"
EXPIRE_DATE = "432"
CXL_REJ_RESPONSE_TO = "434"
PARTY_ID_SOURCE = "447"
PARTY_ID = "448"
PARTY_ROLE = "452"
NO_PARTY_I_DS = "453"
ORDER_CAPACITY = "528"
MASS_CANCEL_REQUEST_TYPE = "530"
MASS_CANCEL_RESPONSE = "531"
TOTAL_AFFECTED_ORDERS = "533"
MATURITY_DATE = "541"
USERNAME = "553"
PASSWORD = "554"  # noqa: S105 - a tag
MASS_STATUS_REQ_ID = "584"
MASS_STATUS_REQ_TYPE = "585"
NEXT_EXPECTED_MSG_SEQ_NUM = "789"
ORD_STATUS_REQ_ID = "790"
TOT_NUM_REPORTS = "911"
LAST_RPT_REQUESTED = "912"
MD_PRICE_LEVEL = "1023"
MANUAL_ORDER_INDICATOR = "1028"
APPL_VER_ID = "1128"
DEFAULT_APPL_VER_ID = "1137"
LOW_LIMIT_PRICE = "1148"
HIGH_LIMIT_PRICE = "1149"
MASS_ACTION_REPORT_ID = "1369"
CLOSE_TODAY = "20077"
HEDGE_FLAG = "20078"


class Number(IntEnum):
    """Tags as numbers."""

    ACCOUNT = 1
    AVG_PX = 6
    BEGIN_SEQ_NO = 7
    BEGIN_STRING = 8
    BODY_LENGTH = 9
    CHECK_SUM = 10
    CL_ORD_ID = 11
    CUM_QTY = 14
    END_SEQ_NO = 16
    EXEC_ID = 17
    EXEC_REF_ID = 19
    EXEC_TRANS_TYPE = 20
    HANDL_INST = 21
    SECURITY_ID_SOURCE = 22
    LAST_PX = 31
    LAST_QTY = 32
    MSG_SEQ_NUM = 34
    MSG_TYPE = 35
    NEW_SEQ_NO = 36
    ORDER_ID = 37
    ORDER_QTY = 38
    ORD_STATUS = 39
    ORD_TYPE = 40
    ORIG_CL_ORD_ID = 41
    POSS_DUP_FLAG = 43
    PRICE = 44
    REF_SEQ_NUM = 45
    SECURITY_ID = 48
    SENDER_COMP_ID = 49
    SENDER_SUB_ID = 50
    SENDING_TIME = 52
    SIDE = 54
    SYMBOL = 55
    TARGET_COMP_ID = 56
    TARGET_SUB_ID = 57
    TEXT = 58
    TIME_IN_FORCE = 59
    TRANSACT_TIME = 60
    SETTL_DATE = 64
    TRADE_DATE = 75
    POSITION_EFFECT = 77
    RPT_SEQ = 83
    RAW_DATA_LENGTH = 95
    RAW_DATA = 96
    POSS_RESEND = 97
    ENCRYPT_METHOD = 98
    CXL_REJ_REASON = 102
    ORD_REJ_REASON = 103
    HEART_BT_INT = 108
    TEST_REQ_ID = 112
    ORIG_SENDING_TIME = 122
    GAP_FILL_FLAG = 123
    RESET_SEQ_NUM_FLAG = 141
    SENDER_LOCATION_ID = 142
    NO_RELATED_SYM = 146
    EXEC_TYPE = 150
    LEAVES_QTY = 151
    CUSTOMER_OR_FIRM = 204
    SECURITY_EXCHANGE = 207
    MD_REQ_ID = 262
    SUBSCRIPTION_REQUEST_TYPE = 263
    MARKET_DEPTH = 264
    MD_UPDATE_TYPE = 265
    NO_MD_ENTRY_TYPES = 267
    NO_MD_ENTRIES = 268
    MD_ENTRY_TYPE = 269
    MD_ENTRY_PX = 270
    MD_ENTRY_SIZE = 271
    MD_ENTRY_DATE = 272
    MD_ENTRY_TIME = 273
    MD_UPDATE_ACTION = 279
    MD_REQ_REJ_REASON = 281
    MD_ENTRY_POSITION_NO = 290
    SECURITY_TRADING_STATUS = 326
    REF_TAG_ID = 371
    REF_MSG_TYPE = 372
    SESSION_REJECT_REASON = 373
    BUSINESS_REJECT_REF_ID = 379
    BUSINESS_REJECT_REASON = 380
    EXPIRE_DATE = 432
    CXL_REJ_RESPONSE_TO = 434
    PARTY_ID_SOURCE = 447
    PARTY_ID = 448
    PARTY_ROLE = 452
    NO_PARTY_I_DS = 453
    ORDER_CAPACITY = 528
    MASS_CANCEL_REQUEST_TYPE = 530
    MASS_CANCEL_RESPONSE = 531
    TOTAL_AFFECTED_ORDERS = 533
    MATURITY_DATE = 541
    USERNAME = 553
    PASSWORD = 554
    MASS_STATUS_REQ_ID = 584
    MASS_STATUS_REQ_TYPE = 585
    NEXT_EXPECTED_MSG_SEQ_NUM = 789
    ORD_STATUS_REQ_ID = 790
    TOT_NUM_REPORTS = 911
    LAST_RPT_REQUESTED = 912
    MD_PRICE_LEVEL = 1023
    MANUAL_ORDER_INDICATOR = 1028
    APPL_VER_ID = 1128
    DEFAULT_APPL_VER_ID = 1137
    LOW_LIMIT_PRICE = 1148
    HIGH_LIMIT_PRICE = 1149
    MASS_ACTION_REPORT_ID = 1369
    CLOSE_TODAY = 20077
    HEDGE_FLAG = 20078


class ExecTransType(StrEnum):
    """ExecTransType(20)."""

    NEW = "0"
    CANCEL = "1"
    CORRECT = "2"
    STATUS = "3"


class HandlInst(StrEnum):
    """HandlInst(21)."""

    AUTOMATED_NO_BROKER = "1"
    AUTOMATED_BROKER_ALLOWED = "2"
    MANUAL = "3"


class SecurityIDSource(StrEnum):
    """SecurityIDSource(22)."""

    EXCHANGE_SYMBOL = "8"


class MsgType(StrEnum):
    """MsgType(35)."""

    HEARTBEAT = "0"
    TEST_REQUEST = "1"
    RESEND_REQUEST = "2"
    REJECT = "3"
    SEQUENCE_RESET = "4"
    LOGOUT = "5"
    EXECUTION_REPORT = "8"
    ORDER_CANCEL_REJECT = "9"
    LOGON = "A"
    NEW_ORDER_SINGLE = "D"
    ORDER_CANCEL_REQUEST = "F"
    ORDER_CANCEL_REPLACE_REQUEST = "G"
    ORDER_STATUS_REQUEST = "H"
    MARKET_DATA_REQUEST = "V"
    MARKET_DATA_SNAPSHOT = "W"
    MARKET_DATA_REQUEST_REJECT = "Y"
    SECURITY_STATUS = "f"
    BUSINESS_MESSAGE_REJECT = "j"
    ORDER_MASS_STATUS_REQUEST = "AF"
    ORDER_MASS_CANCEL_REQUEST = "q"
    ORDER_MASS_CANCEL_REPORT = "r"
    MARKET_DATA_INCREMENTAL_REFRESH = "X"


class OrdStatus(StrEnum):
    """OrdStatus(39)."""

    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    PENDING_REPLACE = "E"


class OrdType(StrEnum):
    """OrdType(40)."""

    MARKET = "1"
    LIMIT = "2"


class Side(StrEnum):
    """Side(54)."""

    BUY = "1"
    SELL = "2"


class TimeInForce(StrEnum):
    """TimeInForce(59)."""

    DAY = "0"
    GOOD_TILL_CANCEL = "1"
    IMMEDIATE_OR_CANCEL = "3"
    FILL_OR_KILL = "4"
    GOOD_TILL_DATE = "6"


class PositionEffect(StrEnum):
    """PositionEffect(77)."""

    OPEN = "O"
    CLOSE = "C"


class EncryptMethod(StrEnum):
    """EncryptMethod(98)."""

    NONE = "0"


class CxlRejReason(StrEnum):
    """CxlRejReason(102)."""

    TOO_LATE_TO_CANCEL = "0"
    UNKNOWN_ORDER = "1"
    BROKER_OPTION = "2"
    ALREADY_PENDING = "3"
    DUPLICATE_CL_ORD_ID = "6"


class OrdRejReason(StrEnum):
    """OrdRejReason(103)."""

    BROKER_OPTION = "0"
    UNKNOWN_SYMBOL = "1"
    EXCHANGE_CLOSED = "2"
    ORDER_EXCEEDS_LIMIT = "3"
    TOO_LATE_TO_ENTER = "4"
    UNKNOWN_ORDER = "5"
    DUPLICATE_ORDER = "6"
    UNSUPPORTED_ORDER_CHARACTERISTIC = "11"
    INCORRECT_QUANTITY = "13"
    OTHER = "99"


class ExecType(StrEnum):
    """ExecType(150)."""

    NEW = "0"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"
    TRADE = "F"
    TRADE_CORRECT = "G"
    TRADE_CANCEL = "H"
    ORDER_STATUS = "I"
    PARTIAL_FILL = "1"
    FILL = "2"


class CustomerOrFirm(StrEnum):
    """CustomerOrFirm(204)."""

    CUSTOMER = "0"
    FIRM = "1"


class SubscriptionRequestType(StrEnum):
    """SubscriptionRequestType(263)."""

    SNAPSHOT = "0"
    SUBSCRIBE = "1"
    UNSUBSCRIBE = "2"


class MDUpdateType(StrEnum):
    """MDUpdateType(265)."""

    FULL_REFRESH = "0"
    INCREMENTAL_REFRESH = "1"


class MDEntryType(StrEnum):
    """MDEntryType(269)."""

    BID = "0"
    OFFER = "1"
    TRADE = "2"


class MDUpdateAction(StrEnum):
    """MDUpdateAction(279)."""

    NEW = "0"
    CHANGE = "1"
    DELETE = "2"


class MDReqRejReason(StrEnum):
    """MDReqRejReason(281)."""

    UNKNOWN_SYMBOL = "0"
    DUPLICATE_MD_REQ_ID = "1"
    UNSUPPORTED_MARKET_DEPTH = "5"
    UNSUPPORTED_MD_UPDATE_TYPE = "6"


class SecurityTradingStatus(StrEnum):
    """SecurityTradingStatus(326)."""

    TRADING_HALT = "2"
    RESUME = "3"
    READY_TO_TRADE = "17"
    NOT_AVAILABLE_FOR_TRADING = "18"
    PRE_OPEN = "21"


class SessionRejectReason(StrEnum):
    """SessionRejectReason(373)."""

    INVALID_TAG_NUMBER = "0"
    REQUIRED_TAG_MISSING = "1"
    TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE = "2"
    UNDEFINED_TAG = "3"
    TAG_SPECIFIED_WITHOUT_A_VALUE = "4"
    VALUE_IS_INCORRECT = "5"
    INCORRECT_DATA_FORMAT = "6"
    COMP_ID_PROBLEM = "9"
    SENDING_TIME_ACCURACY_PROBLEM = "10"
    INVALID_MSG_TYPE = "11"
    TAG_APPEARS_MORE_THAN_ONCE = "13"
    INCORRECT_NUM_IN_GROUP_COUNT = "16"


class BusinessRejectReason(StrEnum):
    """BusinessRejectReason(380)."""

    OTHER = "0"
    UNKNOWN_ID = "1"
    UNKNOWN_SECURITY = "2"
    UNSUPPORTED_MESSAGE_TYPE = "3"
    APPLICATION_NOT_AVAILABLE = "4"
    CONDITIONALLY_REQUIRED_FIELD_MISSING = "5"


class CxlRejResponseTo(StrEnum):
    """CxlRejResponseTo(434)."""

    ORDER_CANCEL_REQUEST = "1"
    ORDER_CANCEL_REPLACE_REQUEST = "2"


class PartyIDSource(StrEnum):
    """PartyIDSource(447)."""

    PROPRIETARY = "D"
    SHORT_CODE = "P"


class PartyRole(StrEnum):
    """PartyRole(452)."""

    EXECUTING_FIRM = "1"
    CLIENT_ID = "3"
    EXECUTING_TRADER = "12"
    INVESTMENT_DECISION_MAKER = "122"


class OrderCapacity(StrEnum):
    """OrderCapacity(528)."""

    AGENCY = "A"
    PRINCIPAL = "P"


class MassCancelRequestType(StrEnum):
    """MassCancelRequestType(530)."""

    CANCEL_FOR_SECURITY = "1"
    CANCEL_ALL = "7"


class MassCancelResponse(StrEnum):
    """MassCancelResponse(531)."""

    REFUSED = "0"
    CANCELLED_FOR_SECURITY = "1"
    CANCELLED_ALL = "7"


class MassStatusReqType(StrEnum):
    """MassStatusReqType(585)."""

    ALL_ORDERS = "7"


class ApplVerID(StrEnum):
    """ApplVerID(1128)."""

    FIX50SP2 = "9"


class DefaultApplVerID(StrEnum):
    """DefaultApplVerID(1137)."""

    FIX50SP2 = "9"


class HedgeFlag(StrEnum):
    """HedgeFlag(20078)."""

    SPECULATION = "1"
    ARBITRAGE = "2"
    HEDGING = "3"
