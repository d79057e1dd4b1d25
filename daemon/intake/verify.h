#pragma once

#include <optional>
#include <string>

#include "adapter/auth.h"
#include "adapter/contract.h"
#include "base/clock.h"
#include "http/message.h"

namespace isthmus::intake {

/// Verifies a webhook on its raw bytes by the recipe of its adapter.
/// @param url the address that the sender called, for recipes that sign it.
/// @return the sender's id of this delivery, or empty where its kind of webhook has none.
/// Errors: webhook.* as in http/webhook_signature.h; webhook.no-secret: the connection has no secret to verify with.
[[nodiscard]] Result<std::string> verify_webhook(const adapter::WebhookRecipe& recipe, const adapter::Secrets& secrets,
                                                 const http::Request& request, const std::string& url, Instant now);

}  // namespace isthmus::intake
