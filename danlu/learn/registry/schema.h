// The tables of a registry and their history. docs/formats/registry.md explains them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "danlu/learn/registry/database.h"

namespace danlu::registry {

// What makes version n of version n - 1: statements, in which {identity} and {clustered} stand for the database's words.
using Migration = std::vector<std::string>;

// The first makes an empty database version 1. One that has been released is never changed; a new one is added.
std::span<const Migration> migrations();

// Brings a database to the newest version, in one transaction; several processes may do so at once. Throws ConfigError if it is of a
// newer version than the last of `steps`, or holds something else than a registry. `name` is for messages.
void migrate(Database& database, const std::string& name, std::span<const Migration> steps = migrations());

}  // namespace danlu::registry
