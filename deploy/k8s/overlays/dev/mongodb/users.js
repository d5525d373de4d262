// Runs once, when the data folder is empty: one user per identity, with its built-in roles per database (roles.json).
const roles = JSON.parse(require('fs').readFileSync('/docker-entrypoint-initdb.d/roles.json', 'utf8'));
for (const [identity, databases] of Object.entries(roles)) {
  db.getSiblingDB('admin').createUser({
    user: identity,
    pwd: process.env[`MONGO_PASSWORD_${identity.toUpperCase().replaceAll('-', '_')}`],
    roles: Object.entries(databases).map(([name, role]) => ({ db: name, role })),
  });
}
