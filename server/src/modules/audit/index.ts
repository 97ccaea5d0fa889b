export { type Act, actOf, recordAudit } from './record-audit.ts'
