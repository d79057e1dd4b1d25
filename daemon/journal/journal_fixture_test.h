#pragma once

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "journal/inbox.h"
#include "journal/keys.h"
#include "journal/outbox.h"
#include "support/postgres.h"

namespace isthmus::journal {

/// A database of its own, with a pool and keys for it.
class JournalTest : public testing::Test {
 protected:
  store::Rows exec(std::string_view sql, const std::vector<store::Param>& params = {}) {
    auto rows = (*pool_.take())->exec(sql, params);
    EXPECT_TRUE(rows) << (rows ? "" : to_string(rows.error()));
    return rows ? *rows : store::Rows();
  }
  std::int64_t count(const std::string& sql) { return exec(sql).number(0, 0); }

  /// Runs what a stage does in one transaction, and commits it.
  template <class Act>
  void in_transaction(Act act) {
    auto db = pool_.take();
    auto tx = store::Transaction::begin(**db);
    ASSERT_TRUE(tx);
    act(*tx);
    const auto done = tx->commit();
    ASSERT_TRUE(done) << to_string(done.error());
  }

  Exchange exchange(int lane, std::int64_t connection, const std::string& delivery_id = {}) {
    Exchange e;
    e.lane = lane;
    e.connection = connection;
    e.received = clock_.now();
    e.descriptor_sha256 = "descriptor";
    e.context = "context";
    e.call = {20000, "sealed " + delivery_id};
    if (!delivery_id.empty()) e.delivery_key = crypto::sha256(delivery_id);
    return e;
  }

  NewCommand command(int lane, std::int64_t connection, const std::string& name) {
    NewCommand c;
    c.id = command_id(installation_, {name});
    c.lane = lane;
    c.connection = connection;
    c.verb = adapter::Verb::upsert;
    c.operation = "upsert_lead";
    c.order_key = "key of " + name;
    c.decision = Uuid::random(random_);
    c.purposes = {"crm", "marketing"};
    c.body_format = "lead/1";
    c.body = {20000, "sealed " + name};
    return c;
  }

  store::Options options_ = test::Postgres::instance().fresh_database();
  store::Pool pool_{options_, 12};
  SystemClock clock_;
  SystemRandom random_;
  archive::MasterKey master_ = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  Keys keys_{pool_, master_, clock_, random_};
  Secret installation_{std::string(32, 'i')};
};

}  // namespace isthmus::journal
