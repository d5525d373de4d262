import { writeFile } from 'node:fs/promises';
import { mongoRolesFile, natsUsersFile } from './dev-servers.ts';
import { kubernetesPath } from './manifests.ts';

// Writes the users of the dev overlay's servers anew: `node e2e/src/deploy/main.ts`, after rights in the code have changed.
await writeFile(kubernetesPath('overlays/dev/nats/users.conf'), natsUsersFile());
await writeFile(kubernetesPath('overlays/dev/mongodb/roles.json'), mongoRolesFile());
