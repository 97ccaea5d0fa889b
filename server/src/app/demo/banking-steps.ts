import { awaitExpiry, refresh, reuseRefreshToken, seeAllRevoked } from './banking/keep-access.ts'
import { agree, beginSignIn, redeemCode, signIn } from './banking/let-an-app-in.ts'
import { compareBalances, readBalance, repeatTransfer, transfer } from './banking/move-money.ts'
import { lookElsewhere } from './banking/stay-inside.ts'
import type { Step } from './story.ts'

/** An app acts for a customer of the bank. Each step stands on those before it. */
// oxfmt-ignore
export const bankingSteps: readonly Step[] = [
  { title: 'Send a customer to the bank to sign in',            run: beginSignIn },
  { title: 'Sign in as the customer',                           run: signIn },
  { title: 'Choose an account and agree',                       run: agree },
  { title: 'Redeem the code for tokens',                        run: redeemCode },
  { title: 'Read the balance',                                  run: readBalance },
  { title: 'Find no way to an account that was not chosen',     run: lookElsewhere },
  { title: 'Wait until the access token has expired',           run: awaitExpiry },
  { title: 'Refresh it',                                        run: refresh },
  { title: 'Transfer money to another customer',                run: transfer },
  { title: 'Repeat that request under its key',                 run: repeatTransfer },
  { title: 'See the money on both accounts',                    run: compareBalances },
  { title: 'Use the old refresh token once more, as a thief would', run: reuseRefreshToken },
  { title: 'See everything revoked',                            run: seeAllRevoked },
]
