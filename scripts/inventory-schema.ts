/**
 * Writes schemas/inventory.schema.json, by which editors complete and check inventories: `npx tsx scripts/inventory-schema.ts`,
 * then `npx biome format --write schemas/inventory.schema.json`.
 */
import { writeFileSync } from 'node:fs';
import { inventoryJsonSchema } from '../src/fleet/own-inventory.ts';

writeFileSync(new URL('../schemas/inventory.schema.json', import.meta.url), inventoryJsonSchema());
