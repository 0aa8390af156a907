-- sysbench's client for MariaDB: one prepared statement a transaction, new users and requests each time.

sysbench.cmdline.options = {
    claims = {"Claims in one transaction", 1},
}

-- Up to 2^53, which Lua's numbers hold exactly. Claims of several users take that many users in a row.
local function new_id()
    return sysbench.rand.uniform(0, 0x3fffff) * 0x80000000 + sysbench.rand.uniform(0, 0x7fffffff)
end

function thread_init()
    local claims = sysbench.opt.claims
    connection = sysbench.sql.driver():connect()
    local call = claims == 1 and "SELECT claim(1, ?, ?)" or "SELECT claim_many(1, ?, ?, " .. claims .. ")"
    statement = connection:prepare(call)
    user = statement:bind_create(sysbench.sql.type.BIGINT)
    request = statement:bind_create(sysbench.sql.type.BIGINT)
    statement:bind_param(user, request)
end

function event()
    user:set(new_id())
    request:set(new_id())
    statement:execute():free()
end

function thread_done()
    statement:close()
    connection:disconnect()
end
