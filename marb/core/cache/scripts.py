"""What the server does in one step: marks and stamps (marb.core.cache.stamps), leases and keeping (fill)."""

import secrets

PENDING = "!"
PENDING_BYTE = PENDING.encode()
# longer than a commit lasts; a mark that a rollback or a dead writer left behind runs out after it
PENDING_SECONDS = 60
# longer than any entry lives
STAMP_SECONDS = 8 * 24 * 3600

MARK = """
for _, key in ipairs(KEYS) do
    local held = redis.call('GET', key)
    if not held or string.sub(held, 1, 1) ~= '!' then held = '' end
    redis.call('SET', key, held .. ARGV[1], 'EX', ARGV[2])
end
return 1
"""
# a mark that others share a stamp with goes alone; the last one makes room for a new stamp
SETTLE = """
for _, key in ipairs(KEYS) do
    local held = redis.call('GET', key)
    local rest = ''
    if held and string.sub(held, 1, 1) == '!' then
        local from, to = string.find(held, ARGV[1], 1, true)
        rest = held
        if from then rest = string.sub(held, 1, from - 1) .. string.sub(held, to + 1) end
    end
    if rest == '' then redis.call('SET', key, ARGV[2], 'EX', ARGV[3])
    else redis.call('SET', key, rest, 'KEEPTTL') end
end
return 1
"""
# a lease holds for the stamps that it was taken under: where they have changed, the next reader may fill
LEASE = """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, string.find(held, ' ', 1, true) + 1) == ARGV[2] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ' ' .. ARGV[2], 'PX', ARGV[3])
return 1
"""
KEEP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call('SET', KEYS[i], ARGV[2 * i - 2], 'PX', ARGV[2 * i - 1]) end
redis.call('DEL', KEYS[1])
return 1
"""

# KEYS: counts by kind, hits by key, misses by key. ARGV: the most keys, then which, name and number of each count
ADD = """
for place = 2, #ARGV, 3 do
    local which, name, number = tonumber(ARGV[place]), ARGV[place + 1], ARGV[place + 2]
    if which == 1 then redis.call('HINCRBY', KEYS[1], name, number)
    else redis.call('ZINCRBY', KEYS[which], number, name) end
end
for which = 2, 3 do redis.call('ZREMRANGEBYRANK', KEYS[which], 0, -ARGV[1] - 1) end
return 1
"""
WITH_ERRAND = """
local function errand() %s end
local reply = errand()
if #KEYS == 1 then return {reply, {}} end
return {reply, redis.call('MGET', unpack(KEYS, 2))}
"""


def with_names(script: str) -> str:
    """Make of a script about KEYS[1] and ARGV one that reads the names that follow its key in the same step."""
    return WITH_ERRAND % script


def new_stamp() -> str:
    return secrets.token_hex(6)
