"""The one settings file. Defaults make the README's first command work; secrets and addresses come by environment.

Without DATABASE_URL, BROKER_URL and CACHE_URL the embedded services' addresses are read from MARB_VAR (./var).
`marb.core.checks` refuses what cannot work in production.
"""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import environ
from django.templatetags.static import static
from django.urls import reverse_lazy

from marb.core.embedded import addresses


def page(title: str, icon: str, name: str, permission: str | None = None) -> dict[str, Any]:
    """One entry of the admin's sidebar; `permission` names a function of the request."""
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}")} | (
        {"permission": permission} if permission else {}
    )


env = environ.Env()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.str("MARB_VAR", default=str(BASE_DIR / "var"))).resolve()
EMBEDDED = addresses.read(VAR_DIR)
EMBEDDED_SHARED_BUFFERS_MB = env.int("EMBEDDED_SHARED_BUFFERS_MB", default=512)

DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="") or EMBEDDED.secret_key
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# HTTPS=on behind TLS: secure cookies, HSTS, redirect. Off by default because the first command serves loopback HTTP.
HTTPS = env.bool("HTTPS", default=False)

INSTALLED_APPS = [
    "marb.core.apps.CoreConfig",
    "unfold",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_dramatiq",
    "dramatiq_crontab",
    "axes",
    "csp",
    "marb.access.apps.AccessConfig",
    "marb.parties.apps.PartiesConfig",
    "marb.pipeline.apps.PipelineConfig",
    "claims.apps.ClaimsConfig",
    "remits.apps.RemitsConfig",
    "episodes.apps.EpisodesConfig",
    "risk.apps.RiskConfig",
    "monitoring.apps.MonitoringConfig",
]

# The order of the belt. A stage of a kind of chunk takes a ChunkJob, a stage of a file a FileJob (marb.pipeline.jobs).
PIPELINE = {
    "837": ["claims.load.load_chunk"],
    "835": ["remits.load.load_chunk"],
    "file": [
        "claims.history.edit_file",
        "claims.answers.meet_file",
        "remits.settle.settle_file",
        "episodes.holds.hold_file",
        "episodes.link.link_file",
        "episodes.lines.link_lines",
        "episodes.status.settle_file",
        "episodes.roll.roll_file",
        "risk.adjudication.note_file",
        "risk.score.score_file",
    ],
    # of a file that holds sets which are neither, such as 999s
    "kept": ["claims.answers.keep_answers"],
}

MIDDLEWARE = [
    "marb.core.measure.middleware.RequestMiddleware",
    # sets the headers of those below by itself
    "marb.access.hits.CachedAnswers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "marb.access.middleware.AccessMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "marb.urls"
WSGI_APPLICATION = "marb.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        # marb.core is the first app: its templates stand before unfold's, and may extend those of the same name
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Leases of chunks and files (marb.pipeline.lease) -----------------------------------------------------------------
CHUNK_LEASE_SECONDS = env.int("CHUNK_LEASE_SECONDS", default=60)
CHUNK_MOST_ATTEMPTS = env.int("CHUNK_MOST_ATTEMPTS", default=5)
# a chunk's one transaction: the longest wait for a lock, and the longest statement
CHUNK_LOCK_SECONDS = env.int("CHUNK_LOCK_SECONDS", default=60)
CHUNK_STATEMENT_SECONDS = env.int("CHUNK_STATEMENT_SECONDS", default=300)
# after the soft limit a job is told to give its row back; after the hard one its lease is left and its process ends
SOFT_LIMIT_SECONDS = env.int("SOFT_LIMIT_SECONDS", default=25 * 60)
HARD_LIMIT_SECONDS = env.int("HARD_LIMIT_SECONDS", default=30 * 60)
# a worker that holds more than this is started anew between two jobs
WORKER_MEMORY_MB = env.int("WORKER_MEMORY_MB", default=384)
# only the fault tests' own settings turn this on (marb.core.failpoints); no environment variable does
FAILPOINTS = False

# --- PostgreSQL -------------------------------------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(env.str("DATABASE_URL", default="") or EMBEDDED.database_url)}
DATABASES["default"] |= {
    "ENGINE": "django.db.backends.postgresql",
    "CONN_MAX_AGE": 0,
    "CONN_HEALTH_CHECKS": True,
    "OPTIONS": {
        "pool": {
            "min_size": env.int("DATABASE_POOL_MIN", default=1),
            "max_size": env.int("DATABASE_POOL_MAX", default=8),
            "timeout": 10,
        },
        "application_name": "marb",
        # a paused or cut-off process must not hold its rows for longer than its lease
        "options": f"-c idle_in_transaction_session_timeout={CHUNK_LEASE_SECONDS}s",
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Cache and broker: two servers, never one (STACK: the broker must not evict, the cache must) ----------------------
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": env.str("CACHE_URL", default="") or EMBEDDED.cache_url,
        "KEY_PREFIX": "marb",
        "KEY_FUNCTION": "marb.core.cache.keys.make_key",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "COMPRESSOR": "django_redis.compressors.zstd.ZStdCompressor",
            "SOCKET_CONNECT_TIMEOUT": 0.25,
            "SOCKET_TIMEOUT": 0.25,
            "IGNORE_EXCEPTIONS": True,
            # more threads than connections wait for one; a pool that refuses would look like a dead server
            "CONNECTION_POOL_CLASS": "redis.connection.BlockingConnectionPool",
            "CONNECTION_POOL_KWARGS": {"max_connections": env.int("CACHE_POOL_MAX", default=32), "timeout": 5},
        },
    }
}
# seconds that an answer lives, by kind (marb.core.cache.kinds has the defaults): CACHE_TTL_CLAIM, CACHE_TTL_PAYER ...
CACHE_TTL = {name.removeprefix("CACHE_TTL_"): env.int(name) for name in os.environ if name.startswith("CACHE_TTL_")}
# what each part of a risk score weighs, together 1 (risk.combine has the defaults): RISK_WEIGHT_PAYER and so on
RISK_WEIGHTS = {
    name.removeprefix("RISK_WEIGHT_"): text for name, text in os.environ.items() if name.startswith("RISK_WEIGHT_")
}
# how long this process remembers an entry; that of a record is compared with its stamps all the same
CACHE_MEMORY_SECONDS = min(env.float("CACHE_MEMORY_SECONDS", default=1.0), 2.0)
BROKER_URL = env.str("BROKER_URL", default="") or EMBEDDED.broker_url
DRAMATIQ_BROKER = {
    "BROKER": "marb.core.broker.Broker",
    "OPTIONS": {"url": BROKER_URL, "heartbeat_timeout": 60_000, "maintenance_chance": 1_000_000},
    "MIDDLEWARE": [
        "dramatiq.middleware.AgeLimit",
        "dramatiq.middleware.TimeLimit",
        "dramatiq.middleware.ShutdownNotifications",
        "dramatiq.middleware.Callbacks",
        "dramatiq.middleware.Retries",
        "django_dramatiq.middleware.DbConnectionsMiddleware",
        "marb.pipeline.middleware.DeadLetters",
        "marb.core.measure.actors.ActorMeasure",
        "marb.core.worker.WarmPool",
        "marb.core.worker.MemoryLimit",
        "marb.core.worker.HardLimit",
    ],
}
DRAMATIQ_ENCODER = "dramatiq.encoder.JSONEncoder"
DRAMATIQ_AUTODISCOVER_MODULES = ["actors"]
DRAMATIQ_CRONTAB = {"REDIS_URL": BROKER_URL}

# --- Reading X12 ------------------------------------------------------------------------------------------------------
# Off: a wrong count or control number in SE, GE or IEA is a warning, as real files have them. On: it rejects.
EDI_STRICT_ENVELOPE = env.bool("EDI_STRICT_ENVELOPE", default=False)
EDI_CHUNK_CLAIMS = env.int("EDI_CHUNK_CLAIMS", default=1_000)
EDI_MOST_BYTES = env.int("EDI_MOST_BYTES", default=2 * 1024**3)

# --- Long answers: exports and live progress hold a web thread each (marb.core.slots) ---------------------------------
STREAMS_PER_PROCESS = env.int("STREAMS_PER_PROCESS", default=4)
STREAMS_PER_USER = env.int("STREAMS_PER_USER", default=3)
EXPORT_MOST_SECONDS = env.int("EXPORT_MOST_SECONDS", default=3600)
# live progress: how often a file is looked at, and when the caller is told to come again
EVENTS_SECONDS = env.float("EVENTS_SECONDS", default=1.0)
EVENTS_MOST_SECONDS = env.float("EVENTS_MOST_SECONDS", default=60.0)

# --- Bodies that arrive slowly (marb.core.arrival): how many of the web threads may wait for them, half of the eight --
BODIES_AT_ONCE = env.int("BODIES_AT_ONCE", default=4)

# --- Idempotency keys (marb.access.idempotency) and uploads in parts (marb.pipeline.resumable) ------------------------
IDEMPOTENCY_HOURS = env.int("IDEMPOTENCY_HOURS", default=24)
IDEMPOTENCY_LOCK_SECONDS = env.int("IDEMPOTENCY_LOCK_SECONDS", default=600)
UPLOAD_HOURS = env.int("UPLOAD_HOURS", default=24)
UPLOADS_PER_USER = env.int("UPLOADS_PER_USER", default=20)

# --- People -----------------------------------------------------------------------------------------------------------
AUTHENTICATION_BACKENDS = [
    "marb.access.lockout.TriesBackend",
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_LOCKOUT_CALLABLE = "marb.access.lockout.answer_locked"
AXES_CLIENT_IP_CALLABLE = "marb.access.origin.address_of"
AXES_VERBOSE = False
# tries of a name and password, as (how many, milliseconds): of one name from one address, and of one address
LOGIN_RATE = [(5, 900_000)]
LOGIN_RATE_ADDRESS = [
    (env.int("LOGIN_RATE_ADDRESS_MINUTE", default=30), 60_000),
    (env.int("LOGIN_RATE_ADDRESS_HOUR", default=300), 3_600_000),
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"
# idle until the logoff, and in all, both kept on the server (marb.access.sessions)
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", default=15)
SESSION_HOURS = env.int("SESSION_HOURS", default=12)
SESSION_COOKIE_AGE = SESSION_HOURS * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# of the model of denial: threads that train and score, and how far back rates look
RISK_THREADS = env.int("RISK_THREADS", default=2)
RISK_HISTORY_DAYS = env.int("RISK_HISTORY_DAYS", default=730)
# how long a person and their roles are kept in a process's memory (marb.access.reader)
READER_SECONDS = env.float("READER_SECONDS", default=1.0)
# requests to the API per person, and per address of strangers; 0 is no limit (marb.access.throttle)
API_RATE_MINUTE = env.int("API_RATE_MINUTE", default=60)
API_RATE_HOUR = env.int("API_RATE_HOUR", default=1_000)
API_RATE_ADDRESS_MINUTE = env.int("API_RATE_ADDRESS_MINUTE", default=60)
API_RATE_ADDRESS_HOUR = env.int("API_RATE_ADDRESS_HOUR", default=1_000)
# the audit (marb.access.audit): seconds between two writes, the most entries that wait for one, years that it is kept
AUDIT_SECONDS = env.float("AUDIT_SECONDS", default=1.0)
AUDIT_MOST = env.int("AUDIT_MOST", default=100_000)
AUDIT_YEARS = env.int("AUDIT_YEARS", default=6)

# Addresses by the last part of their names. Everything else below /api/ is throttled, everything else is recorded.
UNTHROTTLED_PLACES = {"health"}
# no patient is shown by these
UNAUDITED_PLACES = {
    *("health", "schema", "swagger", "redoc", "redoc-script", "auth-login", "auth-logout", "auth-logoutall", "auth-me"),
    *("login", "logout", "jsi18n", "password_change", "password_change_done", "pipeline_edifile_progress", "metrics"),
    *("monitoring_process_room", "monitoring_process_figures", "kpis", "episodes_monthsum_changelist"),
}
# asked by pages by themselves: no sign that anybody is there
PASSIVE_PLACES = {
    *("pipeline_edifile_progress", "file-progress", "file-events", "file-live", "monitoring_process_figures"),
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "marb.access.tokens.TokenAuthentication",
        "marb.access.tokens.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["marb.access.permissions.MemberPermission"],
    "DEFAULT_PAGINATION_CLASS": "marb.core.paginator.KeyPagination",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PARSER_CLASSES": ["marb.core.parser.StrictParser"],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_RENDERER_CLASSES": ["marb.core.renderer.OrjsonRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "marb.core.errors.answer_error",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": env.int("NUM_PROXIES", default=0),
    "URL_FORMAT_OVERRIDE": None,
    "COERCE_DECIMAL_TO_STRING": True,
    "PAGE_SIZE": 100,
}
REST_KNOX = {
    "TOKEN_TTL": timedelta(hours=env.int("TOKEN_HOURS", default=10)),
    "TOKEN_LIMIT_PER_USER": 20,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "mARB",
    "VERSION": "1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "marb.core.schema.describe_errors",
    ],
    "ENUM_NAME_OVERRIDES": {
        "FileStatus": "marb.pipeline.models.FileStatus",
        "ClaimStatus": "claims.models.ClaimStatus",
        "RemittanceStatus": "remits.models.RemittanceStatus",
        "EpisodeStatus": "episodes.models.EpisodeStatus",
        "DenialState": "episodes.models.DenialState",
        "EpisodeStage": "episodes.models.EpisodeStage",
        "ToldStage": "episodes.models.episode.STAGES",
        "HoldState": "episodes.models.HoldState",
        "ModelState": "risk.models.ModelState",
        "UnderpaidStatus": "episodes.underpaid.UnderpaidStatus",
        "RiskLevel": "risk.models.RiskLevel",
        "PatternStatus": "risk.models.PatternStatus",
        "HealthStatus": ["ok", "down"],
        "DetailedHealthStatus": ["healthy", "degraded"],
    },
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
}

# --- Pages ------------------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "marb.core.static.StaticFilesStorage"},
}
FILE_UPLOAD_TEMP_DIR = None
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440

# --- Browser safety ---------------------------------------------------------------------------------------------------
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SESSION_COOKIE_SECURE = HTTPS
CSRF_COOKIE_SECURE = HTTPS
if HTTPS:
    # a browser takes these from this very host only, by TLS
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # unfold runs Alpine, which evaluates its attributes
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# --- silk: profiles a sample of the requests where SILK=on, for staff who may see it (marb.core.silk) -----------------
SILK = env.bool("SILK", default=False)
if SILK:
    INSTALLED_APPS.append("silk")
    # below the CSP middleware, so that silk's own pages may ask it for their inline scripts; what it profiles below it
    MIDDLEWARE.remove("marb.access.hits.CachedAnswers")
    place = MIDDLEWARE.index("csp.middleware.CSPMiddleware") + 1
    MIDDLEWARE[place:place] = ["marb.core.silk.ProfileMiddleware", "marb.access.hits.CachedAnswers"]


def may_see_profiles(user: Any) -> bool:
    """Staff who were given the permission; every superuser has it."""
    return bool(user.is_staff and user.has_perm("silk.view_request"))


SILKY_AUTHENTICATION = True
SILKY_AUTHORISATION = True
SILKY_PERMISSIONS = may_see_profiles
SILKY_INTERCEPT_PERCENT = env.int("SILK_PERCENT", default=1)
SILKY_MAX_REQUEST_BODY_SIZE = 0
SILKY_MAX_RESPONSE_BODY_SIZE = 0
# kept at most, and for so long: deleted by schedule (monitoring.profiles), never inside of a request
SILKY_MAX_RECORDED_REQUESTS = env.int("SILK_MOST", default=1_000)
SILKY_MAX_RECORDED_REQUESTS_CHECK_PERCENT = 0

# --- Measuring (marb.core.measure, kept by monitoring); MONITORING=off switches all of it off -------------------------
MONITORING = env.bool("MONITORING", default=True)
MEASURE_SINK = "monitoring.sink.keep"
# a kill loses what was measured since the last flush
MEASURE_SECONDS = env.float("MEASURE_SECONDS", default=5.0)
SLOW_QUERY_MS = env.float("SLOW_QUERY_MS", default=100)
SLOW_CALL_MS = env.float("SLOW_CALL_MS", default=1_000)
# a step of the belt: a split, a chunk, a last step of a file
SLOW_STEP_MS = env.float("SLOW_STEP_MS", default=30_000)
# where the cache counts its hits and misses: a function that answers {kind: {"hits": n, "misses": n}}
CACHE_COUNTS = "marb.core.cache.statistics.read_kinds"
# memory checkpoints of a file are kept above this size
CHECKPOINT_BYTES = env.int("CHECKPOINT_BYTES", default=1_000_000)
MEMORY_THRESHOLDS = {
    "process_warning": env.float("MEMORY_WARNING_THRESHOLD_MB", default=512),
    "process_critical": env.float("MEMORY_CRITICAL_THRESHOLD_MB", default=1_024),
    "delta_warning": env.float("MEMORY_DELTA_WARNING_MB", default=256),
    "delta_critical": env.float("MEMORY_DELTA_CRITICAL_MB", default=512),
    "system_warning": env.float("SYSTEM_MEMORY_WARNING_PCT", default=75),
    "system_critical": env.float("SYSTEM_MEMORY_CRITICAL_PCT", default=90),
}
# how long measures are kept: by minute, by hour, by day; checkpoints; processes gone and statements not seen again
RETENTION_DAYS = {
    "minute": env.int("RETENTION_MINUTES_DAYS", default=2),
    "hour": env.int("RETENTION_HOURS_DAYS", default=35),
    "day": env.int("RETENTION_DAYS_DAYS", default=400),
    "checkpoint": env.int("RETENTION_CHECKPOINTS_DAYS", default=7),
    "process": env.int("RETENTION_PROCESSES_DAYS", default=7),
    "statement": env.int("RETENTION_STATEMENTS_DAYS", default=30),
    "alert": env.int("RETENTION_ALERTS_DAYS", default=400),
    "profile": env.int("RETENTION_PROFILES_DAYS", default=3),
}

# --- /metrics for Prometheus (monitoring.prometheus.page): the token it shows, the networks it may ask from -----------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
METRICS_ADDRESSES = env.list("METRICS_ADDRESSES", default=[])

# --- Alerts: told by e-mail and webhook (monitoring.notices) ----------------------------------------------------------
EMAIL_BACKEND = (
    "django.core.mail.backends." + ("smtp" if env.str("EMAIL_HOST", default="") else "console") + (".EmailBackend")
)
EMAIL_HOST = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT = env.int("EMAIL_PORT", default=25)
EMAIL_HOST_USER = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS = env.bool("EMAIL_USE_TLS", default=False)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="marb@localhost")
# hosts that a webhook may reach though their address is private, or by plain http; others are public and https
ALERT_WEBHOOK_HOSTS = env.list("ALERT_WEBHOOK_HOSTS", default=[])

# --- Logs: no PHI. PostgreSQL's DETAIL and a message's arguments never reach a handler (marb.core.logs) ---------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"()": "marb.core.logs.PlainFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # the scheduler renews its lock every five seconds and tells of it
        "apscheduler": {"level": "WARNING"},
        # looks for silk's middleware by its name, which ours extends, and warns in every command that it is not there
        "silk.profiling.profiler": {"level": "ERROR"},
    },
}

UNFOLD = {
    "SITE_TITLE": "mARB",
    "SITE_HEADER": "mARB",
    "SITE_SUBHEADER": "Claims, remittances, episodes",
    "SITE_SYMBOL": "receipt_long",
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "monitoring.dashboard.show",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("marb/icon.svg")},
    ],
    "STYLES": [lambda request: static("marb/admin.css")],
    "SIDEBAR": {
        "navigation": [
            {
                "title": "Work",
                "items": [
                    page("What to work on", "dashboard", "index"),
                    page("Key figures", "monitoring", "episodes_monthsum_changelist"),
                ],
            },
            {
                "title": "Claims",
                "separator": True,
                "items": [page("Claims", "description", "claims_claim_changelist")],
            },
            {
                "title": "Remittances",
                "items": [
                    page("Remittances", "receipt_long", "remits_remittance_changelist"),
                    page("Payments", "payments", "remits_payment_changelist"),
                    page("On hold", "front_hand", "episodes_hold_changelist"),
                    page("To link", "add_link", "episodes_queuedremittance_changelist"),
                    page("Links by hand", "history", "episodes_linkchange_changelist"),
                    page("Underpaid", "money_off", "episodes_underpaidline_changelist"),
                ],
            },
            {
                "title": "Episodes",
                "items": [
                    page("Episodes", "account_tree", "episodes_episode_changelist"),
                    page("Denials", "assignment_late", "episodes_denialitem_changelist"),
                    page("What is a denial", "rule_settings", "episodes_denialreason_changelist"),
                    page("Codes to map", "new_label", "episodes_denialreason_unmapped"),
                    page("Code lists", "menu_book", "episodes_codelist_changelist"),
                ],
            },
            {
                "title": "Risk",
                "items": [
                    page("Risk scores", "monitor_heart", "risk_riskscore_changelist"),
                    page("Denial patterns", "troubleshoot", "risk_denialpattern_changelist"),
                    page("Risk rules", "rule", "risk_riskrule_changelist"),
                    page("Scrub an 837", "cleaning_services", "risk_riskscore_scrub"),
                    page("Models", "neurology", "risk_riskmodel_changelist"),
                    page("Decisions", "rule", "risk_riskdecision_changelist"),
                ],
            },
            {
                "title": "Files",
                "separator": True,
                "items": [
                    page("Files", "folder_open", "pipeline_edifile_changelist")
                    | {"active": "marb.pipeline.upload.is_file_page"},
                    page("Upload", "upload_file", "pipeline_edifile_upload", "marb.access.admin.may_upload"),
                    page(
                        "Dead letters",
                        "mark_email_unread",
                        "pipeline_deadletter_changelist",
                        "marb.pipeline.deadletters.may_see",
                    ),
                ],
            },
            {
                "title": "Payers and providers",
                "separator": True,
                "items": [
                    page("Payers", "account_balance", "parties_payer_changelist"),
                    page("Plans", "assignment", "parties_plan_changelist"),
                    page("Providers", "stethoscope", "parties_provider_changelist"),
                ],
            },
            {
                "title": "Prices",
                "separator": True,
                "items": [
                    page("Contracts", "handshake", "claims_contract_changelist"),
                    page("Contract fees", "sell", "claims_contractfee_changelist"),
                    page("Fee schedules", "library_books", "claims_feeschedule_changelist"),
                    page("Fees", "price_check", "claims_fee_changelist"),
                    page("Localities", "map", "claims_locality_changelist"),
                    page("Modifier rules", "rule", "claims_feemodifier_changelist"),
                    page("Tolerances", "straighten", "episodes_tolerance_changelist"),
                ],
            },
            {
                "title": "Claim edits",
                "separator": True,
                "items": [
                    page("Rules of edits", "checklist", "claims_editrule_changelist"),
                    page("NCCI pairs", "join_inner", "claims_nccipair_changelist"),
                    page("NCCI units", "filter_5", "claims_unitlimit_changelist"),
                ],
            },
            {
                "title": "Access",
                "separator": True,
                "items": [
                    page("Practices", "home_health", "access_practice_changelist"),
                    page("People", "group", "auth_user_changelist", "marb.access.admin.may_manage_members"),
                    page("Audit", "policy", "access_auditentry_changelist", "marb.access.auditpage.may_see_audit"),
                ],
            },
            {
                "title": "Monitoring",
                "separator": True,
                "items": [
                    page(title, icon, f"monitoring_{name}", "monitoring.room.page.may_see")
                    for title, icon, name in (
                        ("Control room", "monitor_heart", "process_room"),
                        ("Alerts", "notifications", "alert_changelist"),
                        ("Alert rules", "tune", "alertrule_changelist"),
                        ("Alert targets", "outgoing_mail", "alerttarget_changelist"),
                        ("Schedules", "schedule", "scheduledjob_changelist"),
                        ("Timings", "timer", "timing_changelist"),
                        ("Gauges and counters", "speed", "sample_changelist"),
                        ("Memory checkpoints", "memory", "checkpoint_changelist"),
                        ("Slow statements", "query_stats", "statement_changelist"),
                    )
                ]
                + [
                    page("Processes", "dns", "monitoring_process_changelist", "monitoring.room.page.may_see")
                    | {"active": "monitoring.room.page.is_process_page"}
                ],
            },
        ]
    },
}
