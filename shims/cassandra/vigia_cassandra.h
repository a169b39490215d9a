/* What shims/cassandra gives to C and C++: a session with a Cassandra cluster, prepared statements and their answers.
 *
 * Cells are the bytes of CQL's native protocol, version 4; the caller encodes and decodes them
 * (libs/cassandra/cells.hpp). Nothing here checks their types: the server does.
 *
 * Ownership: what a function returns by `_connect`, `_prepare`, `_run` or hands to a callback belongs to the caller, who
 * ends it by `_close` or `_free`, once. What is passed in has to stay only until the function returns.
 * Threads: every function may be called from any thread. Callbacks come on the driver's own threads and must return soon;
 * they must not throw, nor call a function here that waits (`_connect`, `_prepare`, `_run`, `_close`).
 */
#ifndef VIGIA_SHIMS_CASSANDRA_H
#define VIGIA_SHIMS_CASSANDRA_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How an answer ended. All but VIGIA_CASSANDRA_OK come with a message. */
enum {
  VIGIA_CASSANDRA_OK = 0,
  VIGIA_CASSANDRA_INVALID = 1,         /* the statement, its cells or a setting; it will never pass */
  VIGIA_CASSANDRA_UNAUTHENTICATED = 2, /* name or password, or a certificate */
  VIGIA_CASSANDRA_FORBIDDEN = 3,       /* known, but may not do that */
  VIGIA_CASSANDRA_EXISTS = 4,          /* keyspace or table is there already */
  VIGIA_CASSANDRA_UNAVAILABLE = 5,     /* no node, too few replicas, a busy cluster: later it may pass */
  VIGIA_CASSANDRA_DEADLINE = 6,        /* not done in time; a write may have been done all the same */
  VIGIA_CASSANDRA_CORRUPT = 7,         /* the answer cannot be read */
  VIGIA_CASSANDRA_INTERNAL = 8         /* a fault of the driver */
};

/* How many replicas have to agree. */
enum {
  VIGIA_CASSANDRA_ONE = 0,
  VIGIA_CASSANDRA_QUORUM = 1,
  VIGIA_CASSANDRA_LOCAL_QUORUM = 2,
  VIGIA_CASSANDRA_ALL = 3
};

enum { VIGIA_CASSANDRA_NULL = -1, VIGIA_CASSANDRA_UNSET = -2 };

typedef struct vigia_cassandra_session vigia_cassandra_session;
typedef struct vigia_cassandra_statement vigia_cassandra_statement;
typedef struct vigia_cassandra_answer vigia_cassandra_answer;

/* UTF-8, not ended by a zero. `data` may be NULL where `size` is 0. */
typedef struct {
  const char* data;
  size_t size;
} vigia_cassandra_text;

/* `size` is VIGIA_CASSANDRA_NULL for null, VIGIA_CASSANDRA_UNSET (only to be bound) for "leave it as it is". */
typedef struct {
  const uint8_t* data;
  int32_t size;
} vigia_cassandra_cell;

typedef struct {
  const vigia_cassandra_text* contact_points; /* host:port */
  size_t contact_point_count;
  vigia_cassandra_text datacenter; /* empty: any; else no node of another is asked */
  vigia_cassandra_text user;       /* empty: no log-in */
  vigia_cassandra_text password;
  uint8_t tls;                      /* 0: plain text */
  vigia_cassandra_text ca_file;     /* PEM; empty: what this machine trusts */
  vigia_cassandra_text cert_file;   /* PEM; empty: no certificate of our own */
  vigia_cassandra_text key_file;    /* PEM */
  uint32_t threads;                 /* of the driver, at least 1 */
  uint32_t connect_timeout_ms;      /* of one connection; connecting takes at most three times that */
  uint32_t second_requests_max;     /* under way because a first node does not answer: see speculative_after_ms */
} vigia_cassandra_settings;

typedef struct {
  vigia_cassandra_text cql;
  uint32_t consistency;
  uint8_t idempotent;            /* 1: twice is as good as once, so the driver may repeat it on another node */
  uint32_t page_rows;            /* at least 1 */
  uint32_t speculative_after_ms; /* not 0, and idempotent: so long unanswered, it is sent to another node too, once */
} vigia_cassandra_statement_spec;

typedef struct {
  const vigia_cassandra_cell* cells;
  size_t cell_count;
  vigia_cassandra_cell paging_state; /* that of the page before, empty for the first one */
  vigia_cassandra_text owner;        /* who holds at most as many second requests as are free; any text */
  uint32_t deadline_ms;
} vigia_cassandra_request;

/* Requests to a second node since the session began. */
typedef struct {
  uint64_t sent;
  uint64_t answered_first; /* of these: before the first node */
  uint64_t held_back;      /* not sent, since too many were under way */
} vigia_cassandra_second_request_counts;

/* Comes exactly once for each `_execute`. Takes over the answer. */
typedef void (*vigia_cassandra_callback)(void* context, vigia_cassandra_answer* answer);

/* Connects; waits for it. `*session` is set where the answer is VIGIA_CASSANDRA_OK, else NULL. */
vigia_cassandra_answer* vigia_cassandra_connect(const vigia_cassandra_settings* settings,
                                                vigia_cassandra_session** session);
/* Ends the session. What still runs gets its callback (VIGIA_CASSANDRA_UNAVAILABLE) before this returns, at most some
 * seconds later. Statements of it may be freed before or after. */
void vigia_cassandra_close(vigia_cassandra_session* session);

/* Has the statement prepared; waits for it. `*statement` as `*session` above. */
vigia_cassandra_answer* vigia_cassandra_prepare(vigia_cassandra_session* session,
                                                const vigia_cassandra_statement_spec* spec, uint32_t deadline_ms,
                                                vigia_cassandra_statement** statement);
void vigia_cassandra_statement_free(vigia_cassandra_statement* statement);

/* Runs CQL that is not prepared and has no cells (a change of the schema, which is awaited on all nodes); waits. */
vigia_cassandra_answer* vigia_cassandra_run(vigia_cassandra_session* session, vigia_cassandra_text cql,
                                            uint32_t consistency, uint32_t deadline_ms);

/* Runs a prepared statement: one page of it. The callback may come before this returns. The driver bounds neither
 * requests under way nor their bytes: the caller does. */
void vigia_cassandra_execute(vigia_cassandra_session* session, const vigia_cassandra_statement* statement,
                             const vigia_cassandra_request* request, vigia_cassandra_callback callback, void* context);

vigia_cassandra_second_request_counts vigia_cassandra_second_requests(const vigia_cassandra_session* session);

/* Of an answer; all pointers stay until it is freed. Rows lie one after the other, `columns` cells each. */
uint32_t vigia_cassandra_answer_code(const vigia_cassandra_answer* answer);
vigia_cassandra_text vigia_cassandra_answer_message(const vigia_cassandra_answer* answer);
size_t vigia_cassandra_answer_rows(const vigia_cassandra_answer* answer);
size_t vigia_cassandra_answer_columns(const vigia_cassandra_answer* answer);
const vigia_cassandra_cell* vigia_cassandra_answer_cells(const vigia_cassandra_answer* answer);
/* VIGIA_CASSANDRA_NULL after the last page. */
vigia_cassandra_cell vigia_cassandra_answer_paging_state(const vigia_cassandra_answer* answer);
void vigia_cassandra_answer_free(vigia_cassandra_answer* answer);

#ifdef __cplusplus
}
#endif

#endif
